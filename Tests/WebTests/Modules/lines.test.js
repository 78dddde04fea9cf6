import { artifactAddress, describe } from "/js/artifacts.js";
import { backoff } from "/js/connection.js";
import { connectionProblem, microphoneProblem } from "/js/problems.js";
import { equal, test } from "./run.js";

test("every obstacle of the microphone has a line of its own that says what to do", () => {
  const names = ["insecure", "no-webcodecs", "NotFoundError", "NotAllowedError", "NotReadableError"];
  const lines = names.map((name) => microphoneProblem(name, { port: "8787" }));
  equal(new Set(lines).size, names.length);
  equal(lines.every((line) => !line.includes("\n") && line.length > 60), true);
  equal(lines[0].includes("http://localhost:8787/"), true);
  equal(microphoneProblem(new DOMException("no", "NotAllowedError")), lines[3]);
  equal(microphoneProblem(new TypeError("odd")).endsWith("odd"), true);
});

test("the tries to come back grow apart, to ten seconds and a bit", () => {
  equal([0, 1, 2, 3].map((attempt) => backoff(attempt, 0.5)), [500, 1000, 2000, 4000]);
  equal([backoff(100, 0), backoff(100, 1)], [7500, 12_500]);
  equal(new Set(["gone", "refused", "foreign", "lost"].map((reason) => connectionProblem(reason, 3))).size, 4);
});

test("only what the page's own server serves is loaded", () => {
  const page = { href: "https://voice.example.org/", origin: "" };
  equal(artifactAddress("/v1/artifacts/a", page), "https://voice.example.org/v1/artifacts/a");
  for (const url of ["https://evil.example/x.png", "data:image/png;base64,AA", "javascript:alert(1)", "http://voice.example.org/a"]) {
    equal(artifactAddress(url, page), null, url);
  }
});

test("an artifact is described in words", () => {
  equal(describe({ type: "image", width: 768, height: 512, bytes: 2048 }), "Picture, 768 × 512, 2 kB");
  equal(describe({ type: "music", duration_ms: 5000, bytes: 3 << 20 }), "Music, 5.0 s, 3.0 MB");
});
