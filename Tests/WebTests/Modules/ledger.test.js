import { Ledger, stages } from "/js/ledger.js";
import { equal, test } from "./run.js";

const TRANSCRIPTION = "conversation.item.input_audio_transcription";
const spoken = [
  { type: "input_audio_buffer.speech_started", item_id: "q" },
  { type: "input_audio_buffer.speech_stopped", item_id: "q" },
  { type: "input_audio_buffer.committed", item_id: "q" },
  { type: "response.created", response: { id: "r" } },
  { type: "response.output_item.added", response_id: "r", item: { id: "a" } },
  { type: `${TRANSCRIPTION}.delta`, item_id: "q", delta: "how " },
  { type: `${TRANSCRIPTION}.delta`, item_id: "q", delta: "are you" },
  { type: `${TRANSCRIPTION}.completed`, item_id: "q", transcript: "how are you" },
  { type: "response.output_audio_transcript.delta", response_id: "r", delta: "i am " },
  { type: "response.output_audio_transcript.delta", response_id: "r", delta: "fine" },
];
const timing = { type: "anygpt.response.timing", response_id: "r", end_of_turn_ms: 500, first_text_ms: 530, first_audio_ms: 680 };
const done = (status) => ({ type: "response.done", response: { id: "r", status } });

const play = (events) => {
  const ledger = new Ledger();
  for (const event of events) ledger.apply(event);
  return ledger;
};
const shape = (ledger) => ledger.entries.map(({ who, state, text }) => [who, state, text]);

test("both sides come as they are said", () => {
  equal(shape(play(spoken.slice(0, 1))), [["you", "hearing", ""]]);
  equal(shape(play(spoken.slice(0, 6))), [["you", "thinking", "how "], ["reply", "thinking", ""]]);
  const ledger = play(spoken);
  equal(shape(ledger), [["you", "done", "how are you"], ["reply", "answering", "i am fine"]]);
  equal([ledger.current.id, ledger.current.itemID], ["r", "a"]);
  ledger.apply(done("completed"));
  equal([shape(ledger)[1][1], ledger.current], ["done", null]);
});

test("a reply that is cut short says so, also when all of it had been sent", () => {
  equal(shape(play([...spoken, done("cancelled")]))[1][1], "interrupted");
  equal(shape(play([...spoken, done("failed")]))[1][1], "failed");
  const ledger = play(spoken);
  ledger.audioArrived(10);
  ledger.apply(done("completed"));
  equal(ledger.interrupted(1234).itemID, "a");
  equal([ledger.entries[1].state, ledger.entries[1].heard], ["interrupted", 1234]);
});

test("speech that was thrown away leaves nothing", () => {
  equal(shape(play([spoken[0], { type: "input_audio_buffer.cleared" }])), []);
});

test("the stages of a spoken turn add up, and the network is not in them", () => {
  const ledger = play(spoken);
  ledger.audioArrived(1000);
  ledger.audioArrived(1020);
  ledger.playing(1085);
  equal(stages(ledger.entries[1]), null, "not measured yet");
  ledger.apply(timing);
  const measured = stages(ledger.entries[1]);
  equal(measured.stages.map(({ name, milliseconds }) => [name, milliseconds]), [["pause", 500], ["text", 30], ["sound", 150], ["buffer", 85]]);
  equal(measured.total, 765);
});

test("the reply to something typed has no pause", () => {
  const ledger = new Ledger();
  ledger.write("t", "hello");
  for (const event of [...spoken.slice(3, 5), { ...timing, end_of_turn_ms: 1, first_text_ms: 20, first_audio_ms: null }]) ledger.apply(event);
  equal(stages(ledger.entries[1]).stages.map(({ name, milliseconds }) => [name, milliseconds]), [["text", 19]]);
});

test("a reply without words is measured by what was made, and one that brought nothing not at all", () => {
  const measured = { ...timing, end_of_turn_ms: 1, first_text_ms: null, first_audio_ms: null, artifact_ms: 801, done_ms: 900 };
  const place = { response_id: "r", item_id: "i", output_index: 0 };
  const written = (...events) => {
    const ledger = new Ledger();
    ledger.write("t", "a hill");
    for (const event of [...spoken.slice(3, 5), ...events]) ledger.apply(event);
    return stages(ledger.entries[1]);
  };
  const progress = { type: "response.output_artifact.progress", ...place, step: 1, steps: 9, artifact: { type: "image" } };
  equal(written(progress, measured), null);
  for (const [type, until] of [["image", "picture"], ["music", "music"]]) {
    const made = { type: "response.output_artifact.done", ...place, artifact: { id: "x", type } };
    equal(written(progress, made, measured), {
      stages: [{ name: "made", label: until, milliseconds: 800 }], total: 800, until,
    });
    // A daemon of former days measured only when all was done.
    equal(written(made, { ...measured, artifact_ms: undefined }).total, 899);
    // Where there are words, or speech, they are what was waited for.
    equal(written(made, { ...measured, first_text_ms: 21 }), {
      stages: [{ name: "text", label: "words", milliseconds: 20 }], total: 20, until: "first words",
    });
    equal(written(made, { ...measured, first_audio_ms: 31 }).until, "first sound");
  }
});

test("artifacts are kept by their place in the reply", () => {
  const place = { response_id: "r", item_id: "i", output_index: 1 };
  const ledger = play([
    ...spoken,
    { type: "response.output_artifact.progress", ...place, step: 3, steps: 25, artifact: { type: "image" } },
    { type: "response.output_artifact.progress", ...place, output_index: 2, step: 1, steps: 2 },
    { type: "response.output_artifact.done", ...place, artifact: { id: "x", type: "image" } },
  ]);
  equal([...ledger.entries[1].artifacts], [
    [1, { kind: "image", step: 3, steps: 25, artifact: { id: "x", type: "image" } }],
    [2, { kind: null, step: 1, steps: 2, artifact: null }],
  ]);
});

test("a lost connection divides what was from what will be", () => {
  const ledger = play([...spoken, { type: "input_audio_buffer.speech_started", item_id: "q2" }]);
  ledger.divide("lost");
  ledger.divide("lost");
  equal(shape(ledger), [["you", "done", "how are you"], ["reply", "interrupted", "i am fine"], ["divider", "done", "lost"]]);
  equal(ledger.current, null);
});

test("events that are not known change nothing", () => {
  equal(shape(play([{ type: "rate_limits.updated" }, { type: "response.output_text.delta", response_id: "?", delta: "x" }])), []);
});
