// What can go wrong, each in one clear line that says what to do next.

/** Why the microphone could not be opened: an obstacle's name, or the browser's DOMException. */
export function microphoneProblem(cause, page = location) {
  switch (typeof cause === "string" ? cause : cause.name) {
    case "insecure":
      return (
        "Browsers give a page the microphone only on localhost or over HTTPS. Open this page on the machine itself as " +
        `http://localhost${page.port === "" ? "" : `:${page.port}`}/, or give the daemon a certificate ` +
        "(server.certificate). You can type meanwhile."
      );
    case "no-webcodecs":
      return "This browser can't encode Opus (WebCodecs): use a current Chrome, Edge, Firefox or Safari. You can type meanwhile.";
    case "no-microphone":
    case "NotFoundError":
    case "OverconstrainedError":
      return "No microphone was found. Plug one in and press Start talking again, or type.";
    case "NotAllowedError":
    case "SecurityError":
      return (
        "The microphone was refused. Allow it for this page (the icon before the address) and press Start talking " +
        "again, or type."
      );
    case "NotReadableError":
    case "AbortError":
      return "The microphone can't be opened: another program may be using it. Close that and press Start talking again.";
    default:
      return `The microphone can't be opened: ${cause.message ?? cause}`;
  }
}

/** Why there is no connection, and when the next try is. */
export function connectionProblem(reason, seconds) {
  const again = `Trying again in ${seconds} s.`;
  switch (reason) {
    case "gone":
      return `The daemon does not answer. Is anygptd running? ${again}`;
    case "refused":
      return `The daemon refuses the connection: all its places are taken, or its log says why. ${again}`;
    case "foreign":
      return `Something else than anygptd answers at this address. ${again}`;
    default:
      return `The connection to the daemon was lost. ${again}`;
  }
}

/** The daemon has closed the connection by a rule of its own. */
export function closedProblem(reason) {
  return `The daemon has ended the conversation (${reason || "no reason given"}). Press Start talking to begin another.`;
}
