// Binds the conversation to the page.

import { Conversation } from "./conversation.js";
import { element } from "./dom.js";
import { TranscriptView } from "./transcript.js";

const byId = (id) => document.getElementById(id);
const page = {
  body: document.body,
  welcome: byId("welcome"), about: byId("about"), examples: byId("examples"),
  problem: byId("problem"), status: byId("status"), device: byId("device"),
  talk: byId("talk"), talkLabel: byId("talk-label"), controls: byId("controls"),
  hold: byId("hold"), hangUp: byId("hang-up"),
  write: byId("write"), text: byId("text"), form: byId("form"),
};

const STATUS = {
  idle: "Ready when you are",
  connecting: "Connecting…",
  typing: "Write a question, or start talking",
  listening: "Listening: just speak",
  muted: "The microphone is off",
  hearing: "Hearing you…",
  thinking: "Thinking…",
  answering: "Answering: speak to interrupt",
};

const conversation = new Conversation();
const transcript = new TranscriptView(byId("entries"), byId("announcer"));

function show() {
  const { phase, ledger, problem, isMuted, isManual, isHeld, hasMicrophone } = conversation;
  page.body.dataset.phase = phase;
  page.welcome.hidden = ledger.entries.length > 0;
  transcript.show(ledger.entries);

  setText(page.problem, problem ?? "");
  page.problem.hidden = problem === null;
  setText(page.status, isManual && phase === "muted" ? "Hold the button, or the space bar, and speak" : STATUS[phase]);
  setText(page.device, hasMicrophone ? conversation.microphoneName : "");

  const action = !hasMicrophone ? "Start talking" : isManual ? "Hold to talk" : isMuted ? "Unmute" : "Mute";
  const isOpen = isManual ? isHeld : !isMuted;
  setText(page.talkLabel, !hasMicrophone ? action : isOpen ? "Microphone on" : "Microphone off");
  page.talk.setAttribute("aria-label", action);
  page.talk.title = action;
  page.controls.hidden = conversation.state === "idle";
  page.hold.hidden = !hasMicrophone;
  page.hold.setAttribute("aria-pressed", String(isManual));
}

function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

conversation.addEventListener("change", show);
conversation.addEventListener("level", ({ detail }) => page.body.style.setProperty("--level", detail.toFixed(3)));

// MARK: The buttons

/** Mutes and unmutes; before there is a microphone, opens it. */
page.talk.addEventListener("click", () => {
  if (!conversation.hasMicrophone) conversation.start();
  else if (!conversation.isManual) conversation.setMuted(!conversation.isMuted);
});
page.talk.addEventListener("pointerdown", (event) => {
  if (!conversation.isManual || !conversation.hasMicrophone) return;
  page.talk.setPointerCapture(event.pointerId);
  conversation.hold();
});
for (const name of ["pointerup", "pointercancel"]) page.talk.addEventListener(name, () => conversation.release());

page.hold.addEventListener("click", () => conversation.setManual(!conversation.isManual));
page.hangUp.addEventListener("click", () => {
  conversation.hangUp();
  page.talk.focus();
});

// MARK: The space bar, held, is the button

const isSpaceForTalking = (event) =>
  event.code === "Space" && conversation.hasMicrophone && !event.target.closest("input, select, audio, a, button:not(#talk)");

addEventListener("keydown", (event) => {
  if (!isSpaceForTalking(event)) return;
  event.preventDefault();
  if (!event.repeat) conversation.hold();
});
addEventListener("keyup", (event) => {
  if (event.code !== "Space" || !conversation.isHeld) return;
  event.preventDefault();
  conversation.release();
});
// Whoever leaves the page with the key down does not come back with it up.
addEventListener("blur", () => conversation.release());

// MARK: Writing

const FORMS = {
  image: { name: "Picture", ask: "a picture of…" },
  music: { name: "Music", ask: "music like…" },
};
const askForWords = page.text.placeholder;

page.form.addEventListener("change", () => {
  page.text.placeholder = FORMS[page.form.value]?.ask ?? askForWords;
  page.text.focus();
});

page.write.addEventListener("submit", (event) => {
  event.preventDefault();
  const text = page.text.value.trim();
  if (text === "") return;
  page.text.value = "";
  conversation.write(text, page.form.value in FORMS ? page.form.value : null);
});

// MARK: What the daemon can answer

async function introduce() {
  let about;
  try {
    const response = await fetch("/about", { cache: "no-store" });
    about = await response.json();
  } catch {
    conversation.fail("The daemon does not answer. Is anygptd running? Reload the page when it is.");
    return;
  }
  const lines = about.greeting ?? [];
  const questions = lines.filter((line) => line.startsWith("Try:")).flatMap((line) => line.slice(4).split(","));
  page.about.replaceChildren(...lines.filter((line) => !line.startsWith("Try:")).map((line) => element("p", {}, line)));
  page.examples.replaceChildren(
    ...questions.map((question) => {
      const button = element("button", { type: "button" }, question.trim());
      button.addEventListener("click", () => conversation.write(question.trim()));
      return element("li", {}, button);
    }),
  );
  const makes = (about.makes ?? []).filter((kind) => kind in FORMS);
  page.form.append(...makes.map((kind) => element("option", { value: kind }, FORMS[kind].name)));
  page.form.hidden = makes.length === 0;
  page.examples.hidden = questions.length === 0;
}

show();
introduce();

// For the tests in a real browser, and for the curious: read it, don't call it.
globalThis.anygpt = { conversation };
