// The microphone: getUserMedia → the audio thread → WebCodecs → Opus packets of 20 ms.

const SAMPLE_RATE = 48_000;
const BITRATE = 24_000;

/** How many pieces of silence follow when it is closed: a little more than the pause that ends a turn. */
const SILENT_PIECES = 75;

/** How loud a piece is: 0 is -60 dB, 1 is 0 dB. */
function level(piece) {
  let sum = 0;
  for (const sample of piece) sum += sample * sample;
  return Math.min(1, Math.max(0, 1 + Math.log10(Math.sqrt(sum / piece.length) + 1e-9) / 3));
}

/**
 * One open microphone. Events: "packet" (detail: Uint8Array), "level" (detail: 0 to 1), "lost" (it was unplugged, or
 * the permission was taken back).
 */
export class Microphone extends EventTarget {
  /** Its name, as the browser knows it. */
  name;

  #stream;
  #source;
  #node;
  #encoder;
  #isOpen = true;
  #silence = 0;
  #timestamp = 0;

  /** Why there can be no microphone here; null where there can. */
  static get obstacle() {
    if (!isSecureContext) return "insecure";
    if (!navigator.mediaDevices?.getUserMedia) return "no-microphone";
    if (!("AudioEncoder" in window) || !("AudioWorkletNode" in window)) return "no-webcodecs";
    return null;
  }

  /** Asks the person for the microphone; rejects with the browser's DOMException. */
  static async open(context) {
    const stream = await navigator.mediaDevices.getUserMedia({
      audio: { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true },
    });
    try {
      await context.audioWorklet.addModule(new URL("./capture-worklet.js", import.meta.url));
      return new Microphone(context, stream);
    } catch (error) {
      for (const track of stream.getTracks()) track.stop();
      throw error;
    }
  }

  constructor(context, stream) {
    super();
    this.#stream = stream;
    const [track] = stream.getAudioTracks();
    this.name = track.label;
    track.onended = () => this.dispatchEvent(new Event("lost"));
    this.#encoder = new AudioEncoder({
      output: (chunk) => {
        const packet = new Uint8Array(chunk.byteLength);
        chunk.copyTo(packet);
        this.dispatchEvent(new CustomEvent("packet", { detail: packet }));
      },
      error: () => this.dispatchEvent(new Event("lost")),
    });
    this.#encoder.configure({
      codec: "opus", sampleRate: SAMPLE_RATE, numberOfChannels: 1, bitrate: BITRATE,
      opus: { application: "voip", frameDuration: 20_000 },
    });
    this.#node = new AudioWorkletNode(context, "capture", {
      numberOfOutputs: 0, channelCount: 1, channelCountMode: "explicit",
    });
    this.#node.port.onmessage = ({ data }) => this.#take(data);
    this.#source = context.createMediaStreamSource(stream);
    this.#source.connect(this.#node);
  }

  /** Whether what is said is sent. Who has closed it is silent for a moment, so that a turn that is open can end. */
  get isOpen() {
    return this.#isOpen;
  }

  set isOpen(isOpen) {
    this.#isOpen = isOpen;
    this.#silence = isOpen ? 0 : SILENT_PIECES;
    if (!isOpen) this.dispatchEvent(new CustomEvent("level", { detail: 0 }));
  }

  /** Sends what is still in the encoder. */
  async flush() {
    if (this.#encoder.state === "configured") await this.#encoder.flush();
  }

  close() {
    for (const track of this.#stream.getTracks()) track.stop();
    this.#source.disconnect();
    this.#node.port.onmessage = null;
    if (this.#encoder.state !== "closed") this.#encoder.close();
  }

  #take(piece) {
    if (this.#encoder.state !== "configured") return;
    if (this.#isOpen) {
      this.dispatchEvent(new CustomEvent("level", { detail: level(piece) }));
    } else if (this.#silence > 0) {
      this.#silence -= 1;
      piece.fill(0);
    } else {
      return;
    }
    const sound = new AudioData({
      format: "f32-planar", sampleRate: SAMPLE_RATE, numberOfChannels: 1, numberOfFrames: piece.length,
      timestamp: this.#timestamp, data: piece,
    });
    this.#timestamp += (piece.length * 1e6) / SAMPLE_RATE;
    this.#encoder.encode(sound);
    sound.close();
  }
}
