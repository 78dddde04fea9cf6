// Tests of the page's modules that need no page. Run in the browser: `await (await import("/tests/run.js")).run()` gives
// the failures, one line each, and how many tests there were.

const tests = [];

export function test(name, body) {
  tests.push([name, body]);
}

export function equal(found, expected, what = "value") {
  const [a, b] = [JSON.stringify(found), JSON.stringify(expected)];
  if (a !== b) throw new Error(`${what}: expected ${b}, found ${a}`);
}

export function throws(body) {
  try {
    body();
  } catch {
    return;
  }
  throw new Error("nothing was thrown");
}

export async function run() {
  for (const file of ["frames", "jitter-buffer", "ledger", "lines"]) await import(`./${file}.test.js`);
  const failures = [];
  for (const [name, body] of tests) {
    try {
      await body();
    } catch (error) {
      failures.push(`${name}: ${error.message}`);
    }
  }
  return { count: tests.length, failures };
}
