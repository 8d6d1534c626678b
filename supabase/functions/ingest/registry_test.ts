import assert from "node:assert/strict";
import type { Gate } from "./gate.ts";
import type { Line } from "./log.ts";
import { RegistryCopy } from "./registry.ts";
import { StoreFailure } from "./store.ts";

const snapshot = (version: string) => JSON.stringify({ version, default_site: "d", sites: [], event_types: [] });

/** A registry whose store, clock and gate are in the test's hand. */
function scene(answers: (string | Error)[]) {
  const asked: number[] = [];
  const loaded: string[] = [];
  const lines: Line[] = [];
  const background: Promise<unknown>[] = [];
  const time = { now: 1_000_000 };
  const gate: Pick<Gate, "loadRegistry"> = {
    loadRegistry: (text) => {
      assert.equal(typeof text, "string");
      if (String(text).includes("unloadable")) {
        throw new Error("jo@example.test");
      }
      loaded.push(String(text));
    },
  };
  const copy = new RegistryCopy({
    gate,
    clock: () => time.now,
    log: (line) => lines.push(line),
    waitUntil: (work) => background.push(work),
    store: {
      registry: () => {
        asked.push(time.now);
        const answer = answers.shift();
        return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer ?? "");
      },
    },
  });
  return {
    copy,
    asked,
    loaded,
    lines,
    time,
    settled: () => Promise.all(background),
  };
}

Deno.test("a copy is asked for once a minute, in the background, and loaded when it changed", async () => {
  const { copy, asked, loaded, time, settled } = scene([
    snapshot("1"),
    snapshot("1"),
    snapshot("2"),
  ]);
  copy.refresh();
  copy.refresh();
  assert.equal(loaded.length, 0);
  await settled();
  assert.equal(copy.current?.version, "1");
  time.now += 59_999;
  copy.refresh();
  assert.equal(asked.length, 1);
  time.now += 1;
  copy.refresh();
  await settled();
  assert.deepEqual([asked.length, loaded.length], [2, 1]);
  time.now += 60_000;
  copy.refresh();
  await settled();
  assert.deepEqual([asked.length, loaded.length, copy.current?.version], [
    3,
    2,
    "2",
  ]);
});

Deno.test("a rejection asks sooner", async () => {
  const { copy, asked, time, settled } = scene([snapshot("1"), snapshot("2")]);
  copy.refresh();
  await settled();
  time.now += 4_999;
  copy.refresh("soon");
  assert.equal(asked.length, 1);
  time.now += 1;
  copy.refresh("soon");
  await settled();
  assert.equal(copy.current?.version, "2");
});

Deno.test("a store out of order leaves the old copy in use and is not pressed", async () => {
  const wrong = [
    new StoreFailure("http 503"),
    "not json",
    '{"version":"3"}',
    snapshot("unloadable"),
  ];
  const { copy, asked, lines, time, settled } = scene([
    snapshot("1"),
    ...wrong,
  ]);
  copy.refresh();
  await settled();
  for (const _ of wrong) {
    time.now += 60_000;
    copy.refresh();
    await settled();
    copy.refresh();
  }
  assert.equal(asked.length, 5);
  assert.equal(copy.current?.version, "1");
  assert.deepEqual(lines.map(({ failure }) => failure), [
    "http 503",
    "the answer is not JSON",
    "the answer is not a registry",
    "the gate cannot read this registry",
  ]);
});
