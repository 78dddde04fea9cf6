// The conversation as a list on the page: one element for each entry of the ledger, changed where the entry changed.

import { ArtifactView } from "./artifacts.js";
import { element, duration } from "./dom.js";
import { TimingStrip } from "./timing-strip.js";

const WAITING = { hearing: "listening…", thinking: "thinking…", answering: "" };

export class TranscriptView {
  #list;
  #announcer;
  #views = new Map();

  /** `announcer` is a live region: it is told of whole sentences, not of every word that comes. */
  constructor(list, announcer) {
    this.#list = list;
    this.#announcer = announcer;
  }

  /** Brings the page in line with the entries. */
  show(entries) {
    const isAtEnd = this.#isAtEnd();
    const before = this.#list.childElementCount;
    const known = new Set(entries.map((entry) => entry.id));
    for (const [id, view] of this.#views) {
      if (known.has(id)) continue;
      view.root.remove();
      this.#views.delete(id);
    }
    for (const entry of entries) {
      let view = this.#views.get(entry.id);
      if (view === undefined) {
        view = entry.who === "divider" ? new DividerView(entry) : new EntryView(entry);
        this.#views.set(entry.id, view);
        this.#list.append(view.root);
      }
      const sentence = view.show(entry);
      if (sentence !== null) this.#announcer.append(element("p", {}, sentence));
    }
    while (this.#announcer.childElementCount > 4) this.#announcer.firstElementChild.remove();
    // Whoever has scrolled up to read something is left there.
    if (isAtEnd || this.#list.childElementCount > before) this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }

  get #scroller() {
    return this.#list.parentElement;
  }

  #isAtEnd() {
    const scroller = this.#scroller;
    return scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 80;
  }
}

class DividerView {
  constructor(entry) {
    this.root = element("li", { className: "divider" }, entry.text);
  }

  show() {
    return null;
  }
}

class EntryView {
  #who;
  #text = element("p", { className: "text" });
  #note = element("p", { className: "note", hidden: true });
  #artifacts = element("div", { className: "artifacts", hidden: true });
  #artifactViews = new Map();
  #strip = null;
  #isAnnounced = false;

  constructor(entry) {
    this.#who = entry.who === "you" ? "You" : "AnyGPT";
    this.root = element(
      "li",
      { className: `entry ${entry.who}` },
      element("p", { className: "who" }, this.#who),
      this.#text,
      this.#artifacts,
      this.#note,
    );
  }

  /** Shows the entry. Gives what is to be said aloud when it has become complete; else null. */
  show(entry) {
    this.root.dataset.state = entry.state;
    const isWaiting = entry.text === "" && entry.state in WAITING;
    const text = entry.text.trim();
    this.#set(this.#text, isWaiting ? WAITING[entry.state] : text);
    this.#text.classList.toggle("waiting", isWaiting);
    this.#text.hidden = this.#text.textContent === "";
    this.#set(this.#note, note(entry, text));
    this.#note.hidden = this.#note.textContent === "";
    this.#showArtifacts(entry);
    if (entry.timing !== null) {
      if (this.#strip === null) {
        this.#strip = new TimingStrip();
        this.root.append(this.#strip.root);
      }
      this.#strip.show(entry);
    }
    const isComplete = entry.state === "done" || entry.state === "interrupted";
    if (!isComplete || this.#isAnnounced || text === "") return null;
    this.#isAnnounced = true;
    return `${this.#who}: ${text}`;
  }

  #showArtifacts(entry) {
    this.#artifacts.hidden = entry.artifacts.size === 0;
    for (const [index, artifact] of entry.artifacts) {
      if (!this.#artifactViews.has(index)) {
        const view = new ArtifactView(index);
        this.#artifactViews.set(index, view);
        this.#artifacts.append(view.root);
      }
      this.#artifactViews.get(index).show(artifact, entry.state);
    }
  }

  #set(node, text) {
    if (node.textContent !== text) node.textContent = text;
  }
}

function note(entry, text) {
  switch (entry.state) {
    case "interrupted":
      return entry.heard === null ? "interrupted" : `interrupted after ${duration(entry.heard)}`;
    case "failed":
      return entry.who === "you" ? "this could not be understood" : "the answer failed; the daemon's log says why";
    case "done":
      return entry.who === "you" && text === "" ? "nothing was understood" : "";
    default:
      return "";
  }
}
