// One conversation: the connection, the microphone, the reply's sound and the ledger, held together. What the page shows
// is read from here after each "change".

import { Connection } from "./connection.js";
import { Ledger } from "./ledger.js";
import { Microphone } from "./microphone.js";
import { Playback } from "./playback.js";
import { closedProblem, connectionProblem, microphoneProblem } from "./problems.js";

/** Shorter than this, a press of the button was not meant to say anything. */
const SHORTEST_HOLD = 250;

/** Events: "change", "level" (detail: 0 to 1). */
export class Conversation extends EventTarget {
  ledger = new Ledger();
  /** "idle", "connecting" or "on". */
  state = "idle";
  /** What went wrong; null when nothing did. */
  problem = null;
  isMuted = false;
  /** Whether turns are made by holding a button instead of by speaking and falling silent. */
  isManual = false;
  isHeld = false;

  #connection = new Connection();
  #context = null;
  #playback = null;
  #microphone = null;
  #wantsMicrophone = false;
  #isHearing = false;
  #heldSince = 0;
  /** How the daemon finds the ends of turns, if it is not told otherwise. */
  #detection = { type: "server_vad" };
  #waiting = [];
  #nextName = 0;

  constructor() {
    super();
    const connection = this.#connection;
    connection.addEventListener("open", () => this.#configure());
    connection.addEventListener("message", ({ detail }) => this.#take(detail));
    connection.addEventListener("audio", ({ detail }) => this.#play(detail));
    connection.addEventListener("waiting", ({ detail }) => this.#lost(detail));
    connection.addEventListener("closed", ({ detail }) => {
      this.#silence();
      this.#closeMicrophone();
      this.#ended(closedProblem(detail));
    });
    if (Microphone.obstacle !== null) this.problem = microphoneProblem(Microphone.obstacle);
  }

  /** What is going on, for the page: "idle", "connecting", "listening", "muted", "hearing", "thinking", "answering". */
  get phase() {
    if (this.state !== "on") return this.state;
    if (this.#isHearing || this.isHeld) return "hearing";
    if (this.#playback?.isActive || this.ledger.current?.state === "answering") return "answering";
    if (this.ledger.current !== null || this.ledger.entries.at(-1)?.state === "thinking") return "thinking";
    if (this.#microphone === null) return "typing";
    return this.isMuted || this.isManual ? "muted" : "listening";
  }

  get hasMicrophone() {
    return this.#microphone !== null;
  }

  get microphoneName() {
    return this.#microphone?.name ?? "";
  }

  /** What the audio thread reported last; null before there was any sound. */
  get playbackReport() {
    return this.#playback?.report ?? null;
  }

  // MARK: What the person does

  /** Opens the microphone and connects. Called by a click or a key. */
  async start() {
    this.problem = null;
    this.#wantsMicrophone = true;
    try {
      if (Microphone.obstacle !== null) throw Microphone.obstacle;
      await this.#prepareSound();
      const microphone = await Microphone.open(this.#context);
      if (!this.#wantsMicrophone) return microphone.close();
      this.#adopt(microphone);
    } catch (cause) {
      this.#wantsMicrophone = false;
      this.problem = microphoneProblem(cause);
      this.#change();
      return;
    }
    this.#connect();
  }

  /** Ends the conversation. */
  hangUp() {
    this.#silence();
    this.#closeMicrophone();
    this.#connection.close();
    this.#ended(null);
  }

  setMuted(isMuted) {
    this.isMuted = isMuted;
    this.#openMicrophone();
    this.#change();
  }

  setManual(isManual) {
    this.isManual = isManual;
    this.isHeld = false;
    this.#openMicrophone();
    this.#sendTurnDetection();
    this.#change();
  }

  /** The person presses the button to speak, in manual mode. */
  async hold() {
    if (this.isHeld || this.state !== "on" || this.#microphone === null) return;
    if (!this.isManual) this.setManual(true);
    this.isHeld = true;
    this.#heldSince = performance.now();
    await this.#interrupt();
    this.#openMicrophone();
    this.#change();
  }

  /** The person lets the button go: that is the end of the turn. */
  async release() {
    if (!this.isHeld) return;
    this.isHeld = false;
    this.#openMicrophone();
    await this.#microphone?.flush();
    if (performance.now() - this.#heldSince < SHORTEST_HOLD) {
      this.#connection.send({ type: "input_audio_buffer.clear" });
    } else {
      this.#connection.send({ type: "input_audio_buffer.commit" });
      this.#connection.send({ type: "response.create" });
    }
    this.#change();
  }

  /** Asks in writing; needs neither a microphone nor a loudspeaker. */
  async write(text, artifact = null) {
    await this.#interrupt();
    this.#nextName += 1;
    const id = `typed_${this.#nextName}_${Math.random().toString(36).slice(2, 10)}`;
    this.#waiting.push({ id, text, artifact });
    if (this.#connection.isOpen && this.state === "on") this.#sendWaiting();
    else this.#connect();
    this.#change();
  }

  /** Shows one line of trouble. */
  fail(line) {
    this.problem = line;
    this.#change();
  }

  // MARK: Sound

  async #prepareSound() {
    this.#context ??= new AudioContext({ sampleRate: 48_000, latencyHint: "interactive" });
    await this.#context.resume();
    if (this.#playback !== null) return;
    const playback = await Playback.create(this.#context);
    if (this.#playback !== null) return;
    playback.addEventListener("playing", () => {
      this.ledger.playing(performance.now());
      this.#change();
    });
    playback.addEventListener("ended", () => this.#change());
    playback.addEventListener("progress", () => this.#level());
    playback.addEventListener("problem", ({ detail }) => this.fail(detail));
    this.#playback = playback;
  }

  #adopt(microphone) {
    this.#closeMicrophone();
    microphone.addEventListener("packet", ({ detail }) => this.#connection.sendAudio(detail));
    microphone.addEventListener("level", ({ detail }) => {
      if (!this.#playback?.isActive) this.#emitLevel(detail);
    });
    microphone.addEventListener("lost", () => {
      this.#closeMicrophone();
      this.fail(microphoneProblem("NotFoundError"));
    });
    this.#microphone = microphone;
    this.#wantsMicrophone = true;
    this.#openMicrophone();
  }

  #closeMicrophone() {
    this.#wantsMicrophone = false;
    this.#microphone?.close();
    this.#microphone = null;
    this.isHeld = false;
    this.#emitLevel(0);
  }

  #openMicrophone() {
    if (this.#microphone !== null) this.#microphone.isOpen = this.isManual ? this.isHeld : !this.isMuted;
  }

  #play(frame) {
    this.ledger.audioArrived(performance.now());
    this.#playback?.play(frame);
    if (frame.isFirst) this.#change();
  }

  #silence() {
    this.#playback?.stop();
    this.#isHearing = false;
  }

  /** The person speaks or writes while the reply is heard: it stops at once, and the daemon learns how far it came. */
  async #interrupt() {
    if (this.ledger.current !== null) this.#connection.send({ type: "response.cancel" });
    await this.#cut();
  }

  async #cut() {
    if (!this.#playback?.isActive) return;
    const heard = Math.round(await this.#playback.stop());
    const entry = this.ledger.interrupted(heard);
    if (entry?.itemID !== undefined) {
      this.#connection.send({
        type: "conversation.item.truncate", item_id: entry.itemID, content_index: 0, audio_end_ms: heard,
      });
    }
    this.#change();
  }

  #level() {
    // What is heard is shown on the same scale as what is said.
    this.#emitLevel(Math.min(1, Math.max(0, 1 + Math.log10(this.#playback.report.level + 1e-9) / 3)));
  }

  #emitLevel(level) {
    this.dispatchEvent(new CustomEvent("level", { detail: level }));
  }

  // MARK: The connection

  #connect() {
    if (this.state !== "on") {
      this.state = "connecting";
      this.#connection.open();
    }
    this.#change();
  }

  #configure() {
    this.state = "on";
    this.problem = null;
    if (!Playback.isSupported) {
      this.#connection.send({ type: "session.update", session: { type: "realtime", output_modalities: ["text"] } });
      if (Microphone.obstacle !== null) this.problem = microphoneProblem(Microphone.obstacle);
    }
    if (this.isManual) this.#sendTurnDetection();
    this.#sendWaiting();
    this.#change();
  }

  #sendTurnDetection() {
    const detection = this.isManual ? null : this.#detection;
    this.#connection.send({
      type: "session.update",
      session: { type: "realtime", audio: { input: { turn_detection: detection } } },
    });
  }

  #sendWaiting() {
    for (const { id, text, artifact } of this.#waiting.splice(0)) {
      this.ledger.write(id, text);
      const content = [{ type: "input_text", text }];
      this.#connection.send({ type: "conversation.item.create", item: { id, type: "message", role: "user", content } });
      // What is asked in writing is answered in writing, or with what was asked for.
      const response = { output_modalities: ["text"], ...(artifact === null ? {} : { artifact: { type: artifact } }) };
      this.#connection.send({ type: "response.create", response });
    }
  }

  #lost({ delay, reason }) {
    this.#silence();
    this.ledger.divide(
      "The connection was lost. A new conversation begins: the daemon remembers nothing of what is above.",
    );
    this.state = "connecting";
    this.fail(connectionProblem(reason, Math.max(1, Math.round(delay / 1000))));
  }

  #ended(problem) {
    this.ledger.divide("The conversation has ended.");
    this.#waiting = [];
    this.state = "idle";
    this.problem = problem;
    this.#change();
  }

  #take(event) {
    this.ledger.apply(event);
    switch (event.type) {
      case "session.created":
        this.#detection = event.session.audio?.input?.turn_detection ?? this.#detection;
        break;
      case "input_audio_buffer.speech_started":
        this.#isHearing = true;
        this.#cut();
        break;
      case "input_audio_buffer.speech_stopped":
      case "input_audio_buffer.cleared":
        this.#isHearing = false;
        break;
      case "response.done":
        // A reply that was cut short has no last packet.
        this.#playback?.finish();
        break;
      case "error":
        this.#refused(event.error);
        break;
    }
    this.#change();
  }

  #refused(error) {
    // These tell of a race between the two sides, which both survive.
    const harmless = ["response_cancel_not_active", "item_not_found", "input_audio_buffer_commit_empty"];
    if (!harmless.includes(error.code)) this.problem = `The daemon says: ${error.message}`;
  }

  #change() {
    this.dispatchEvent(new Event("change"));
  }
}
