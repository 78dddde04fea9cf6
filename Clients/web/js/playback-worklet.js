// Runs on the audio thread: takes the reply's sound out of the jitter buffer, and tells how much of it was played.

import { JitterBuffer } from "./jitter-buffer.js";

/** How many blocks of 128 samples pass between two reports: a little over 20 ms. */
const REPORT_EVERY = 8;

class Playback extends AudioWorkletProcessor {
  #buffer = new JitterBuffer();
  #reply = 0;
  #blocks = 0;
  #energy = 0;
  #totalSamples = 0;
  #totalEnergy = 0;
  #wasActive = false;

  constructor() {
    super();
    this.port.onmessage = ({ data }) => this.#take(data);
  }

  #take(message) {
    switch (message.kind) {
      case "begin":
        this.#reply = message.reply;
        this.#buffer.begin();
        break;
      case "samples":
        if (message.reply === this.#reply) this.#buffer.push(message.samples);
        break;
      case "finish":
        if (message.reply === this.#reply) this.#buffer.finish();
        break;
      case "stop":
        this.#buffer.clear();
        this.#report(true);
        break;
    }
  }

  process(_inputs, outputs) {
    const output = outputs[0][0];
    const before = this.#buffer.played;
    const count = this.#buffer.pull(output);
    for (let i = 0; i < count; i += 1) this.#energy += output[i] * output[i];
    this.#totalSamples += count;
    for (let channel = 1; channel < outputs[0].length; channel += 1) outputs[0][channel].set(output);
    const isActive = this.#buffer.isActive;
    this.#blocks += 1;
    const begins = before === 0 && count > 0;
    if (begins || isActive !== this.#wasActive || (isActive && this.#blocks >= REPORT_EVERY)) this.#report(false);
    this.#wasActive = isActive;
    return true;
  }

  #report(isStopped) {
    this.#totalEnergy += this.#energy;
    this.port.postMessage({
      reply: this.#reply,
      isStopped,
      isActive: this.#buffer.isActive,
      played: this.#buffer.played,
      buffered: this.#buffer.buffered,
      target: this.#buffer.target,
      gaps: this.#buffer.gaps,
      level: Math.sqrt(this.#energy / Math.max(1, this.#blocks * 128)),
      totalSamples: this.#totalSamples,
      totalEnergy: this.#totalEnergy,
    });
    this.#blocks = 0;
    this.#energy = 0;
  }
}

registerProcessor("playback", Playback);
