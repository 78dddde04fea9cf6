// A picture or a piece of music: how far it is, and then the thing itself.

import { element, duration } from "./dom.js";

/** The side in pixels that a picture is shown with at least, if whole pixels allow. */
const SMALLEST = 256;

/** Only what the page's own daemon serves is shown; the page's rules would not load anything else. */
export function artifactAddress(url, page = location) {
  const address = new URL(url, page.href);
  return address.origin === new URL(page.href).origin ? address.href : null;
}

/** What the daemon does while it makes one; one of former days does not say what it makes. */
const MAKING = { image: "drawing a picture", music: "composing music" };

/** What an artifact is, in words. */
export function describe(artifact) {
  const parts = [artifact.type === "image" ? "Picture" : "Music"];
  if (artifact.width && artifact.height) parts.push(`${artifact.width} × ${artifact.height}`);
  if (artifact.duration_ms) parts.push(duration(artifact.duration_ms));
  const { bytes } = artifact;
  parts.push(bytes < 1 << 20 ? `${Math.ceil(bytes / 1024)} kB` : `${(bytes / (1 << 20)).toFixed(1)} MB`);
  return parts.join(", ");
}

export class ArtifactView {
  root = element("figure", { className: "artifact" });
  #progress = element("progress", { max: 1, value: 0 });
  #caption = element("figcaption");
  #isShown = false;

  /** `index` is its place among the reply's. */
  constructor(index) {
    this.root.style.order = String(index);
    this.#progress.setAttribute("aria-label", "how far it is");
    this.root.append(this.#progress, this.#caption);
  }

  /** Shows how far it is, or what it became; `state` is that of the reply around it. */
  show({ kind, step, steps, artifact }, state) {
    if (this.#isShown) return;
    if (artifact !== null) {
      this.#isShown = true;
      this.#progress.remove();
      this.#present(artifact);
    } else if (state === "interrupted" || state === "failed") {
      this.#progress.remove();
      this.#caption.textContent = "not finished";
    } else {
      this.#progress.max = Math.max(1, steps);
      this.#progress.value = step;
      this.#caption.textContent = `${MAKING[kind] ?? "being made"}: step ${step} of ${steps}`;
    }
  }

  #present(artifact) {
    const address = artifactAddress(artifact.url);
    const words = describe(artifact);
    if (address === null) {
      this.#caption.textContent = `${words}: it lies on another server and is not shown (${artifact.url})`;
      return;
    }
    const failed = () => (this.#caption.textContent = `${words}: it could not be loaded`);
    if (artifact.type === "image") {
      const image = element("img", { src: address, alt: words, decoding: "async" });
      if (artifact.width && artifact.height) {
        // A small picture is shown several times as large.
        const scale = Math.max(1, Math.floor(SMALLEST / Math.max(artifact.width, artifact.height)));
        [image.width, image.height] = [scale * artifact.width, scale * artifact.height];
      }
      image.onerror = failed;
      this.root.prepend(element("a", { href: address, target: "_blank", rel: "noopener" }, image));
    } else {
      const player = element("audio", { src: address, controls: true, preload: "metadata" });
      player.setAttribute("aria-label", words);
      player.onerror = failed;
      this.root.prepend(player);
    }
    const name = `${artifact.id}.${artifact.mime_type.split("/").at(-1)}`;
    this.#caption.replaceChildren(words, " · ", element("a", { href: address, download: name }, "save"));
  }
}
