// The binary messages of anygpt.opus.v1: one Opus packet each, all integers big-endian. See Documentation/Protocol.md.

export const PROTOCOL = "anygpt.opus.v1";

const CLIENT_AUDIO = 0x01;
const SERVER_AUDIO = 0x02;
const HEADER_BYTES = 16;

/** The message that carries a packet of the microphone. */
export function encodeFrame(packet) {
  const message = new Uint8Array(packet.byteLength + 1);
  message[0] = CLIENT_AUDIO;
  message.set(packet, 1);
  return message;
}

/**
 * Reads a packet of the reply.
 * @returns {{isFirst: boolean, isLast: boolean, outputIndex: number, sequence: number, mediaTime: number,
 *   packet: Uint8Array}} mediaTime is in samples of 48 kHz from the item's start.
 * @throws {Error} what is wrong with the message, in one line.
 */
export function decodeFrame(buffer) {
  const view = new DataView(buffer);
  if (view.byteLength === 0) throw new Error("an empty binary message");
  const kind = view.getUint8(0);
  if (kind !== SERVER_AUDIO) throw new Error(`a binary message of the unknown kind ${kind}`);
  if (view.byteLength <= HEADER_BYTES) throw new Error(`a binary message of only ${view.byteLength} bytes`);
  const flags = view.getUint8(1);
  return {
    isFirst: (flags & 1) !== 0,
    isLast: (flags & 2) !== 0,
    outputIndex: view.getUint16(2),
    sequence: view.getUint32(4),
    mediaTime: Number(view.getBigUint64(8)),
    packet: new Uint8Array(buffer, HEADER_BYTES),
  };
}
