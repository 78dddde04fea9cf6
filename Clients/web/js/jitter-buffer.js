// Holds the reply's sound between its arrival and its playing, and decides when to begin.
//
// The daemon sends ahead of what is heard (up to speech.lead_s), so the buffer is rarely short; it is when the network
// stutters or the model speaks slower than time passes. Each time it runs dry in the middle of a reply it waits for more
// the next time; while nothing goes wrong it waits less again. No clock is in it: time is the samples that are taken.

const SAMPLE_RATE = 48_000;
const milliseconds = (ms) => (ms * SAMPLE_RATE) / 1000;

const LEAST = milliseconds(40);
const MOST = milliseconds(1000);
/** After so much sound without a gap the delay shrinks by an eighth. */
const PATIENCE = milliseconds(10_000);

export class JitterBuffer {
  /** Samples that wait for more sound before a reply begins, or goes on after a gap. */
  target = milliseconds(80);
  /** Samples that wait to be played. */
  buffered = 0;
  /** Samples of the present reply that were played. */
  played = 0;
  /** How often a reply had to stop and wait. */
  gaps = 0;

  #chunks = [];
  #offset = 0;
  #isPlaying = false;
  #isComplete = true;
  #sinceGap = 0;

  /** Another reply begins; what is left of the one before is forgotten. */
  begin() {
    this.clear();
    this.played = 0;
    this.#isComplete = false;
  }

  /** More sound of the present reply. */
  push(samples) {
    if (samples.length === 0) return;
    this.#chunks.push(samples);
    this.buffered += samples.length;
  }

  /** The present reply has no more sound than it was given. */
  finish() {
    this.#isComplete = true;
  }

  /** Forgets what waits. */
  clear() {
    this.#chunks = [];
    this.#offset = 0;
    this.buffered = 0;
    this.#isPlaying = false;
    this.#isComplete = true;
  }

  /** Whether there is sound still to be played or to come. */
  get isActive() {
    return !this.#isComplete || this.buffered > 0;
  }

  /** Fills `output`; where there is no sound, with silence. Returns how many samples were sound. */
  pull(output) {
    if (!this.#isPlaying && this.buffered > 0 && (this.#isComplete || this.buffered >= this.target)) {
      this.#isPlaying = true;
    }
    const count = this.#isPlaying ? this.#copy(output) : 0;
    output.fill(0, count);
    this.played += count;
    this.#adapt(count, output.length);
    return count;
  }

  #copy(output) {
    let filled = 0;
    while (filled < output.length && this.#chunks.length > 0) {
      const chunk = this.#chunks[0];
      const count = Math.min(output.length - filled, chunk.length - this.#offset);
      output.set(chunk.subarray(this.#offset, this.#offset + count), filled);
      filled += count;
      this.#offset += count;
      if (this.#offset === chunk.length) {
        this.#chunks.shift();
        this.#offset = 0;
      }
    }
    this.buffered -= filled;
    return filled;
  }

  #adapt(count, wanted) {
    if (!this.#isPlaying) return;
    this.#sinceGap += count;
    if (count < wanted) {
      this.#isPlaying = false;
      if (this.#isComplete) return;
      this.gaps += 1;
      this.#sinceGap = 0;
      this.target = Math.min(MOST, this.target * 1.5 + milliseconds(20));
    } else if (this.#sinceGap >= PATIENCE) {
      this.#sinceGap = 0;
      this.target = Math.max(LEAST, this.target * 0.875);
    }
  }
}
