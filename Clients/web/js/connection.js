// The WebSocket to the daemon, which comes back by itself.

import { PROTOCOL, decodeFrame, encodeFrame } from "./frames.js";

const FIRST_DELAY = 500;
const LONGEST_DELAY = 10_000;
/** More than this many bytes that wait to be sent are seconds of sound that nobody needs any more. */
const MOST_WAITING = 64 << 10;

/** How long to wait before try number `attempt`, from 0, in milliseconds. `chance`, 0 to 1, keeps a crowd apart. */
export function backoff(attempt, chance) {
  return Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** attempt) * (0.75 + 0.5 * chance);
}

/**
 * Events: "open", "message" (detail: a server event), "audio" (detail: a frame), "waiting" (detail: {delay, reason}),
 * "closed" (detail: the reason; it does not come back by itself).
 */
export class Connection extends EventTarget {
  /** Packets of the microphone that were not sent, since the network was too slow for them. */
  droppedPackets = 0;

  #url;
  #socket = null;
  #attempt = 0;
  #timer = null;
  #isWanted = false;

  constructor(page = location) {
    super();
    this.#url = `${page.protocol === "https:" ? "wss" : "ws"}://${page.host}/v1/realtime`;
  }

  get isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /** Connects, now and whenever the connection is lost. */
  open() {
    this.#isWanted = true;
    clearTimeout(this.#timer);
    if (this.#socket !== null) return;
    const socket = new WebSocket(this.#url, PROTOCOL);
    socket.binaryType = "arraybuffer";
    let wasOpen = false;
    socket.onopen = () => {
      wasOpen = true;
      this.dispatchEvent(new Event("open"));
    };
    socket.onmessage = ({ data }) => this.#take(data);
    socket.onclose = (event) => {
      if (this.#socket !== socket) return;
      this.#socket = null;
      this.#lost(wasOpen, event);
    };
    this.#socket = socket;
  }

  /** Ends the connection for good. */
  close() {
    this.#isWanted = false;
    clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = null;
    socket?.close(1000);
  }

  /** Sends an event; false when there is no connection. */
  send(event) {
    if (!this.isOpen) return false;
    this.#socket.send(JSON.stringify(event));
    return true;
  }

  /** Sends a packet of the microphone. */
  sendAudio(packet) {
    if (!this.isOpen) return;
    if (this.#socket.bufferedAmount > MOST_WAITING) {
      this.droppedPackets += 1;
      return;
    }
    this.#socket.send(encodeFrame(packet));
  }

  #take(data) {
    if (typeof data !== "string") {
      this.dispatchEvent(new CustomEvent("audio", { detail: decodeFrame(data) }));
      return;
    }
    const event = JSON.parse(data);
    if (event.type === "session.created") this.#attempt = 0;
    this.dispatchEvent(new CustomEvent("message", { detail: event }));
  }

  async #lost(wasOpen, event) {
    if (!this.#isWanted) return;
    // 1008: the daemon has closed it by a rule of its own, such as a long silence. It is not to be pressed.
    if (wasOpen && event.code === 1008) {
      this.#isWanted = false;
      this.dispatchEvent(new CustomEvent("closed", { detail: event.reason }));
      return;
    }
    const reason = wasOpen ? "lost" : await diagnose();
    if (!this.#isWanted || this.#socket !== null) return;
    const delay = backoff(this.#attempt, Math.random());
    this.#attempt += 1;
    this.#timer = setTimeout(() => this.open(), delay);
    this.dispatchEvent(new CustomEvent("waiting", { detail: { delay, reason } }));
  }
}

/** Why a WebSocket did not come about, which browsers do not tell: "gone", "foreign" or "refused". */
async function diagnose() {
  try {
    const response = await fetch("/healthz", { cache: "no-store", signal: AbortSignal.timeout(3000) });
    const health = await response.json();
    return typeof health.status === "string" ? "refused" : "foreign";
  } catch (error) {
    return error instanceof SyntaxError ? "foreign" : "gone";
  }
}
