import { JitterBuffer } from "/js/jitter-buffer.js";
import { equal, test } from "./run.js";

const block = () => new Float32Array(128);
const ramp = (from, count) => Float32Array.from({ length: count }, (_, i) => from + i);

test("sound waits for the target, and comes out in order and whole", () => {
  const buffer = new JitterBuffer();
  buffer.begin();
  const output = block();
  buffer.push(ramp(1, 1000));
  equal(buffer.pull(output), 0, "too little to begin");
  buffer.push(ramp(1001, 5000));
  const heard = [];
  for (let count = 1; count > 0; heard.push(...output.subarray(0, count))) {
    count = buffer.pull(output);
    if (count < 128 && count > 0) equal(output[127], 0, "silence behind the end");
  }
  equal(heard.length, 6000);
  equal(heard.every((sample, i) => sample === i + 1), true);
  equal(buffer.played, 6000);
});

test("a short reply is played although it never fills the buffer", () => {
  const buffer = new JitterBuffer();
  buffer.begin();
  buffer.push(ramp(1, 100));
  buffer.finish();
  equal(buffer.pull(block()), 100);
  equal([buffer.isActive, buffer.gaps], [false, 0], "its end is no gap");
});

test("a gap makes the target longer, patience makes it shorter again", () => {
  const buffer = new JitterBuffer();
  buffer.begin();
  const first = buffer.target;
  for (let gap = 1; gap <= 20; gap += 1) {
    buffer.push(new Float32Array(Math.ceil(buffer.target)));
    while (buffer.pull(block()) > 0);
    equal(buffer.gaps, gap);
  }
  equal(buffer.target, 48_000, "a second at most");
  for (let second = 0; second < 600; second += 1) {
    buffer.push(new Float32Array(48_000));
    for (let i = 0; i < 375; i += 1) buffer.pull(block());
  }
  equal(buffer.target < first, true, "less than at the beginning");
  equal(buffer.target >= 1920, true, "40 ms at least");
});

test("a stop forgets what waits, a new reply begins from zero", () => {
  const buffer = new JitterBuffer();
  buffer.begin();
  buffer.push(ramp(1, 10_000));
  buffer.pull(block());
  buffer.clear();
  equal([buffer.isActive, buffer.buffered, buffer.pull(block()), buffer.played], [false, 0, 0, 128]);
  buffer.begin();
  buffer.push(ramp(5, 10_000));
  const output = block();
  buffer.pull(output);
  equal([buffer.played, output[0]], [128, 5]);
});
