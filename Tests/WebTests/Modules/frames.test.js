import { decodeFrame, encodeFrame } from "/js/frames.js";
import { equal, test, throws } from "./run.js";

test("a packet of the microphone follows the kind", () => {
  equal([...encodeFrame(new Uint8Array([7, 8, 9]))], [1, 7, 8, 9]);
});

test("a packet of the reply is read with all its fields", () => {
  const bytes = [2, 3, 0x01, 0x02, 0x00, 0x01, 0x00, 0x05, 0, 0, 0, 1, 0, 0, 0x03, 0xc0, 42, 43];
  const frame = decodeFrame(new Uint8Array(bytes).buffer);
  equal([frame.isFirst, frame.isLast], [true, true]);
  equal([frame.outputIndex, frame.sequence, frame.mediaTime], [0x0102, 0x10005, 2 ** 32 + 960]);
  equal([...frame.packet], [42, 43]);
});

test("what is no frame is refused", () => {
  for (const bytes of [[], [1, 2, 3], [2], new Array(16).fill(2)]) throws(() => decodeFrame(new Uint8Array(bytes).buffer));
});
