// Runs on the audio thread: cuts the microphone's sound into pieces of 20 ms.

class Capture extends AudioWorkletProcessor {
  #piece = new Float32Array(sampleRate / 50);
  #filled = 0;

  process(inputs) {
    const input = inputs[0][0];
    // Without a channel the microphone gives nothing now; the pieces go on when it does again.
    if (input === undefined) return true;
    let read = 0;
    while (read < input.length) {
      const count = Math.min(input.length - read, this.#piece.length - this.#filled);
      this.#piece.set(input.subarray(read, read + count), this.#filled);
      this.#filled += count;
      read += count;
      if (this.#filled === this.#piece.length) {
        this.port.postMessage(this.#piece, [this.#piece.buffer]);
        this.#piece = new Float32Array(sampleRate / 50);
        this.#filled = 0;
      }
    }
    return true;
  }
}

registerProcessor("capture", Capture);
