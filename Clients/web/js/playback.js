// The reply's sound: Opus packets → WebCodecs → the jitter buffer on the audio thread.

const SAMPLE_RATE = 48_000;

/**
 * Plays one reply at a time. Events: "playing" (its first sample is about to be heard), "progress", "ended" (all of it
 * was played), "problem" (detail: one line).
 */
export class Playback extends EventTarget {
  /** What the audio thread reported last. */
  report = { isActive: false, played: 0, buffered: 0, target: 0, gaps: 0, level: 0, totalSamples: 0, totalEnergy: 0 };

  #context;
  #node;
  #decoder = null;
  #reply = 0;
  #isBegun = false;
  #isHeard = false;
  #stopped = null;

  static get isSupported() {
    return isSecureContext && "AudioDecoder" in window && "AudioWorkletNode" in window;
  }

  /** Makes the chain; the context must have been made by a click or a key. */
  static async create(context) {
    await context.audioWorklet.addModule(new URL("./playback-worklet.js", import.meta.url));
    return new Playback(context);
  }

  constructor(context) {
    super();
    this.#context = context;
    this.#node = new AudioWorkletNode(context, "playback", { numberOfInputs: 0, outputChannelCount: [1] });
    this.#node.connect(context.destination);
    this.#node.port.onmessage = ({ data }) => this.#take(data);
  }

  /** Whether sound is being played, or is to come. */
  get isActive() {
    return this.#isBegun;
  }

  /** How much of the reply came out of the speakers, in milliseconds. */
  get heardMilliseconds() {
    const latency = this.#context.outputLatency || this.#context.baseLatency || 0;
    return Math.max(0, (this.report.played / SAMPLE_RATE - latency) * 1000);
  }

  /** Takes one packet; the first of an item begins another reply. */
  play(frame) {
    if (frame.isFirst) this.#begin();
    if (!this.#isBegun || this.#decoder === null) return;
    this.#decoder.decode(
      new EncodedAudioChunk({ type: "key", timestamp: (frame.mediaTime * 1e6) / SAMPLE_RATE, data: frame.packet }),
    );
    if (frame.isLast) this.finish();
  }

  /** The reply has no more packets. */
  finish() {
    const [decoder, reply] = [this.#decoder, this.#reply];
    this.#decoder = null;
    if (decoder === null || decoder.state === "closed") return;
    decoder.flush().then(
      () => {
        decoder.close();
        this.#node.port.postMessage({ kind: "finish", reply });
      },
      () => {}, // Stopped meanwhile.
    );
  }

  /** Stops at once. Gives how much was heard, in milliseconds. */
  async stop() {
    if (!this.#isBegun) return this.heardMilliseconds;
    this.#closeDecoder();
    this.#isBegun = false;
    const stopped = new Promise((resolve) => (this.#stopped = resolve));
    this.#node.port.postMessage({ kind: "stop" });
    await stopped;
    return this.heardMilliseconds;
  }

  #begin() {
    this.#closeDecoder();
    this.#reply += 1;
    this.#isBegun = true;
    this.#isHeard = false;
    const reply = this.#reply;
    this.#node.port.postMessage({ kind: "begin", reply });
    this.#decoder = new AudioDecoder({
      output: (sound) => this.#queue(sound, reply),
      error: ({ message }) =>
        this.dispatchEvent(new CustomEvent("problem", { detail: `The reply's sound can't be played: ${message}` })),
    });
    this.#decoder.configure({ codec: "opus", sampleRate: SAMPLE_RATE, numberOfChannels: 1 });
  }

  #queue(sound, reply) {
    const samples = new Float32Array(sound.numberOfFrames);
    sound.copyTo(samples, { planeIndex: 0, format: "f32-planar" });
    sound.close();
    this.#node.port.postMessage({ kind: "samples", reply, samples }, [samples.buffer]);
  }

  #closeDecoder() {
    if (this.#decoder !== null && this.#decoder.state !== "closed") this.#decoder.close();
    this.#decoder = null;
  }

  #take(report) {
    this.report = report;
    if (report.isStopped) {
      this.#stopped?.();
      this.#stopped = null;
    }
    if (report.reply !== this.#reply || !this.#isBegun) return;
    if (!this.#isHeard && report.played > 0) {
      this.#isHeard = true;
      this.dispatchEvent(new Event("playing"));
    }
    if (report.isActive) {
      this.dispatchEvent(new Event("progress"));
    } else {
      this.#isBegun = false;
      this.dispatchEvent(new Event("ended"));
    }
  }
}
