// Where a turn's milliseconds went: a bar of its stages, to scale, with a legend of their lengths.

import { duration, element } from "./dom.js";
import { stages } from "./ledger.js";

export class TimingStrip {
  root = element("div", { className: "timing" });
  #shown = "";

  /** Shows an entry's stages, once they are known. */
  show(entry) {
    const measured = stages(entry);
    if (measured === null) return;
    const key = JSON.stringify(measured);
    if (key === this.#shown) return;
    this.#shown = key;
    const bar = element("div", { className: "bar" });
    bar.setAttribute("aria-hidden", "true");
    const legend = element("ul");
    for (const { name, label, milliseconds } of measured.stages) {
      const part = element("span", { className: name });
      part.style.flexGrow = String(Math.max(milliseconds, measured.total / 200));
      bar.append(part);
      legend.append(
        element("li", {}, element("i", { className: name }), `${label} `, element("b", {}, duration(milliseconds))),
      );
    }
    const from = entry.isWritten ? "your question" : "your last word";
    const total = element("p", {}, element("b", {}, duration(measured.total)), ` from ${from} to the ${measured.until}`);
    this.root.replaceChildren(total, bar, legend);
  }
}
