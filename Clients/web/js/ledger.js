// What was said, and when: the conversation as a list of entries, kept from the daemon's events. No screen and no clock
// are in it; times are handed in, in milliseconds.

/**
 * @typedef {object} Entry
 * @property {string} id The item's or, for a reply, the response's name.
 * @property {"you" | "reply" | "divider"} who
 * @property {string} text
 * @property {"hearing" | "thinking" | "answering" | "done" | "interrupted" | "failed"} state
 * @property {boolean} isWritten Whether it was typed, or is the reply to that.
 * @property {number | null} heard How many milliseconds of an interrupted reply were heard.
 * @property {Map<number, {kind: string | null, step: number, steps: number, artifact: object | null}>} artifacts By output
 *   index; the kind is "image" or "music", where the daemon says so.
 * @property {object | null} timing The daemon's measurements.
 * @property {number | null} buffering Milliseconds from the arrival of the first sound to its playing.
 */

export class Ledger {
  /** @type {Entry[]} */
  entries = [];
  /** The reply that is being made; null when none is. */
  current = null;
  /** The last reply with sound. */
  spoken = null;

  #firstAudio = null;
  #nextIsWritten = false;

  /** Something was typed; it was given this name. */
  write(id, text) {
    this.#nextIsWritten = true;
    return this.#add({ id, who: "you", text, state: "done", isWritten: true });
  }

  /** The connection is another one: the daemon remembers nothing of what came before. */
  divide(text) {
    this.current = null;
    this.spoken = null;
    this.entries = this.entries.filter((entry) => entry.state !== "hearing");
    for (const entry of this.entries) {
      if (entry.state === "thinking" || entry.state === "answering") entry.state = "interrupted";
    }
    if (this.entries.length > 0 && this.entries.at(-1).who !== "divider") {
      this.#add({ id: `divider-${this.entries.length}`, who: "divider", text, state: "done" });
    }
  }

  /** The first packet of the current reply has come. */
  audioArrived(now) {
    if (this.#firstAudio === null) this.#firstAudio = now;
    if (this.current !== null) this.spoken = this.current;
  }

  /** The reply's sound begins to be heard. */
  playing(now) {
    if (this.spoken !== null && this.#firstAudio !== null) this.spoken.buffering = now - this.#firstAudio;
  }

  /** The reply was stopped when so many milliseconds of it had been heard. Gives the reply. */
  interrupted(heard) {
    const entry = this.spoken;
    if (entry === null) return null;
    entry.heard = heard;
    entry.state = "interrupted";
    return entry;
  }

  /** Takes a server event. */
  apply(event) {
    switch (event.type) {
      case "input_audio_buffer.speech_started":
        this.#question(event.item_id);
        break;
      case "input_audio_buffer.committed":
        this.#question(event.item_id).state = "thinking";
        break;
      case "input_audio_buffer.cleared":
        this.entries = this.entries.filter((entry) => entry.state !== "hearing");
        break;
      case "conversation.item.input_audio_transcription.delta":
        this.#question(event.item_id).text += event.delta;
        break;
      case "conversation.item.input_audio_transcription.completed": {
        const entry = this.#question(event.item_id);
        entry.text = event.transcript;
        entry.state = "done";
        break;
      }
      case "conversation.item.input_audio_transcription.failed":
        this.#question(event.item_id).state = "failed";
        break;
      case "response.created":
        this.#firstAudio = null;
        this.current = this.#add({
          id: event.response.id, who: "reply", state: "thinking", isWritten: this.#nextIsWritten,
        });
        this.#nextIsWritten = false;
        break;
      case "response.output_item.added":
        if (event.response_id === this.current?.id) this.current.itemID = event.item.id;
        break;
      case "response.output_audio_transcript.delta":
      case "response.output_text.delta":
        this.#reply(event, (entry) => {
          entry.text += event.delta;
          if (entry.state === "thinking") entry.state = "answering";
        });
        break;
      case "response.output_artifact.progress":
        this.#reply(event, (entry) => {
          const { step, steps, artifact } = event;
          entry.artifacts.set(event.output_index, { kind: artifact?.type ?? null, step, steps, artifact: null });
        });
        break;
      case "response.output_artifact.done":
        this.#reply(event, (entry) => {
          const { artifact } = event;
          const before = entry.artifacts.get(event.output_index) ?? { step: 1, steps: 1 };
          entry.artifacts.set(event.output_index, { ...before, kind: artifact.type, artifact });
        });
        break;
      case "anygpt.response.timing":
        this.#reply(event, (entry) => (entry.timing = event));
        break;
      case "response.done":
        this.#done(event.response);
        break;
    }
  }

  #done(response) {
    const entry = this.entries.find((entry) => entry.id === response.id);
    if (entry === undefined) return;
    if (entry === this.current) this.current = null;
    if (response.status === "failed") entry.state = "failed";
    else if (response.status === "cancelled") entry.state = "interrupted";
    else if (entry.state !== "interrupted") entry.state = "done";
    // A question that was never transcribed will not be any more.
    for (const entry of this.entries) if (entry.who === "you" && entry.state === "thinking") entry.state = "done";
  }

  #question(id) {
    return this.entries.find((entry) => entry.id === id) ?? this.#add({ id, who: "you", state: "hearing" });
  }

  #reply(event, change) {
    const entry = this.entries.find((entry) => entry.id === event.response_id);
    if (entry !== undefined) change(entry);
  }

  #add(entry) {
    this.entries.push({
      text: "", isWritten: false, heard: null, artifacts: new Map(), timing: null, buffering: null, ...entry,
    });
    return this.entries.at(-1);
  }
}

/**
 * Where a turn's milliseconds went, from the last word of the question to the first sound (or, in a reply of text, the
 * first words; in one without any, what was made) of the answer: the pause that ends the turn, then until the first words,
 * until the first sound was sent, and from its arrival until it is played. null as long as it is not known, or where nothing
 * came. The network is not in it: nobody measured it.
 * @returns {{stages: {name: string, label: string, milliseconds: number}[], total: number, until: string} | null}
 */
export function stages(entry) {
  const { timing, buffering } = entry;
  if (timing === null) return null;
  const end = timing.end_of_turn_ms ?? 0;
  const text = timing.first_text_ms ?? null;
  const sound = timing.first_audio_ms ?? null;
  const made = [...entry.artifacts.values()].find(({ artifact }) => artifact !== null);
  const marks = [["pause", "pause", end]];
  let until;
  if (text !== null) {
    marks.push(["text", "words", text - end]);
    until = "first words";
  }
  if (sound !== null) {
    marks.push(["sound", "sound", sound - (text ?? end)]);
    if (buffering !== null) marks.push(["buffer", "playback", buffering]);
    until = "first sound";
  }
  if (until === undefined && made !== undefined) {
    until = made.kind === "image" ? "picture" : "music";
    marks.push(["made", until, (timing.artifact_ms ?? timing.done_ms) - end]);
  }
  if (until === undefined) return null;
  const list = marks
    .filter(([name]) => name !== "pause" || !entry.isWritten)
    .map(([name, label, milliseconds]) => ({ name, label, milliseconds: Math.max(0, milliseconds) }));
  return { stages: list, total: list.reduce((sum, stage) => sum + stage.milliseconds, 0), until };
}
