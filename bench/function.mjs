/**
 * The Edge Function's own cost: processor time per request and cold start, beside the same function written with
 * Zod and beside one that only passes its body on. `npm run bench:function` writes bench/FUNCTION.md.
 *
 * Each is one bundle, as the platform makes it, in a process of its own, on the Deno that hosted functions run on;
 * the store answers at once. Processor time is the whole process's, server and runtime included.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { freePort } from "../local/ports.mjs";
import { publishableKey, secretKey } from "../local/settings.mjs";
import { denoBinary, root } from "../tests/runner/paths.mjs";
import { record } from "./history.mjs";

const ROUNDS = Number(process.env.ROUNDS ?? 7);
const COLD_STARTS = Number(process.env.COLD_STARTS ?? 15);
/** The kernel counts processor time in ticks of this many milliseconds. */
const TICK_MS = 10;

const CONTENDERS = [
  { name: "passing on", entry: "bench/function/bare.ts" },
  { name: "audience-gate", entry: "supabase/functions/ingest/index.ts" },
  { name: "with Zod 4", entry: "bench/function/zod.ts" },
];
const SIZES = [{ events: 1, requests: 2000 }, { events: 1000, requests: 30 }];

const folder = mkdtempSync(join(tmpdir(), "audience-gate-bench-"));
const registry = readFileSync(join(root, "taxonomy.json"), "utf8");

/** A store that takes everything without looking. */
async function startStore() {
  const { event_types, rules, states, blocked_jumps, default_site } = JSON
    .parse(registry);
  const snapshot = JSON.stringify({
    version: "bench",
    default_site: default_site.id,
    event_types,
    rules: rules.map((/** @type {{ id: string }} */ { id }) => id),
    states: states.map((/** @type {{ id: string }} */ { id }) => id),
    blocked_jumps: blocked_jumps.map((
      /** @type {Record<string, string>} */ jump,
    ) => [jump.from_state, jump.to_state]),
    sites: [{ id: default_site.id, origins: null }],
  });
  const recorded = JSON.stringify({
    recorded: true,
    accepted: 1,
    replayed: [],
    rejected: [],
    rate: null,
  });
  const server = createServer((request, response) => {
    request.resume().on("end", () => {
      response.writeHead(200, { "content-type": "application/json" });
      response.end(request.url?.endsWith("registry") ? snapshot : recorded);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  return { url: `http://127.0.0.1:${port}`, close: () => server.close() };
}

/** @param {{ name: string, entry: string }} contender */
async function bundle({ name, entry }) {
  const outfile = join(folder, `${name.replaceAll(" ", "-")}.js`);
  await build({
    entryPoints: [join(root, entry)],
    outfile,
    bundle: true,
    format: "esm",
    minify: true,
    platform: "neutral",
    mainFields: ["module", "main"],
    external: ["@supabase/auth-js", "node:*"],
    logLevel: "error",
  });
  return { name, outfile, bytes: readFileSync(outfile).byteLength };
}

/** @param {string} file @param {string} store */
async function serve(file, store) {
  const port = await freePort();
  const child = spawn(denoBinary("deno-hosted"), [
    ...["run", "--quiet", "--no-check", "--no-config", "--allow-all"],
    join(root, "local", "function-host.ts"),
    String(port),
    pathToFileURL(file).href,
  ], {
    cwd: folder,
    stdio: ["pipe", "pipe", "inherit"],
    env: {
      ...process.env,
      DENO_NO_UPDATE_CHECK: "1",
      SUPABASE_URL: store,
      SUPABASE_PUBLISHABLE_KEYS: JSON.stringify({ default: publishableKey }),
      SUPABASE_SECRET_KEYS: JSON.stringify({ default: secretKey }),
    },
  });
  await new Promise((resolve, reject) => {
    child.stdout.on(
      "data",
      (chunk) => String(chunk).includes("listening") && resolve(undefined),
    );
    child.once("exit", () => reject(new Error(`${file} ended`)));
  });
  return {
    url: `http://127.0.0.1:${port}/ingest`,
    cpuMs: () => processorTime(/** @type {number} */ (child.pid)),
    stop: async () => {
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
}

/** User and system time of a process, all its threads. @param {number} pid */
function processorTime(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(
    " ",
  );
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

const body = (/** @type {number} */ events) => {
  const one = (/** @type {number} */ i) => ({
    session_id: `session-${String.fromCharCode(97 + i % 26).repeat(12)}`,
    event_type: "content_view",
    event_category: "engagement",
    event_source: "web",
    utm_source: "newsletter",
    utm_medium: "email",
    utm_campaign: "spring",
    occurred_at: new Date().toISOString(),
    metadata: {
      content_id: "how-to-keep-a-log",
      duration_seconds: 30 + i % 90,
      page_path: "/articles/how-to-keep-a-log",
      title: "How to keep a log that others can read, and what to leave out",
      language: "en",
      viewport: { width: 1280, height: 720 },
      tags: ["engagement", "reading", "returning"],
    },
  });
  return JSON.stringify(
    events === 1 ? one(0) : Array.from({ length: events }, (_, i) => one(i)),
  );
};

/** @param {string} url @param {string} text */
async function send(url, text) {
  const response = await fetch(url, {
    method: "POST",
    headers: { apikey: publishableKey },
    body: text,
  });
  const answer = await response.text();
  if (response.status !== 200) {
    throw new Error(`${response.status} ${answer.slice(0, 300)}`);
  }
}

const median = (/** @type {number[]} */ values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

/** @param {Awaited<ReturnType<typeof bundle>>[]} bundles @param {string} store */
async function warm(bundles, store) {
  const rows = [];
  for (const { events, requests } of SIZES) {
    const text = body(events);
    /** @type {Map<string, number[]>} */
    const times = new Map(bundles.map(({ name }) => [name, []]));
    const served = await Promise.all(
      bundles.map(async ({ name, outfile }) => ({
        name,
        ...await serve(outfile, store),
      })),
    );
    for (const { url } of served) {
      for (let i = 0; i < requests / 4; i += 1) await send(url, text);
    }
    // They take turns, so that a slow spell of the machine affects all of them.
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const { name, url, cpuMs } of served) {
        const before = cpuMs();
        for (let i = 0; i < requests; i += 1) await send(url, text);
        times.get(name)?.push((cpuMs() - before) / requests);
      }
    }
    await Promise.all(served.map(({ stop }) => stop()));
    const floor = median(times.get("passing on") ?? [0]);
    for (const [name, values] of times) {
      rows.push({
        events,
        name,
        ms: median(values),
        beyond: median(values) - floor,
      });
    }
  }
  return rows;
}

/** @param {Awaited<ReturnType<typeof bundle>>[]} bundles @param {string} store */
async function cold(bundles, store) {
  const text = body(1);
  /** @type {Map<string, number[]>} */
  const times = new Map(bundles.map(({ name }) => [name, []]));
  /** @type {Map<string, number[]>} */
  const processor = new Map(bundles.map(({ name }) => [name, []]));
  for (let round = 0; round <= COLD_STARTS; round += 1) {
    for (const { name, outfile } of bundles) {
      const started = performance.now();
      const { url, cpuMs, stop } = await serve(outfile, store);
      await send(url, text);
      // The first round warms the file cache of this machine.
      if (round > 0) {
        times.get(name)?.push(performance.now() - started);
        processor.get(name)?.push(cpuMs());
      }
      await stop();
    }
  }
  return [...times].map(([name, values]) => ({
    name,
    ms: median(values),
    best: Math.min(...values),
    cpu: median(processor.get(name) ?? []),
  }));
}

const store = await startStore();
try {
  const bundles = await Promise.all(CONTENDERS.map(bundle));
  const [coldRows, warmRows] = [
    await cold(bundles, store.url),
    await warm(bundles, store.url),
  ];
  const report = [
    "<!-- Generated by `npm run bench:function`. -->",
    "# What the Edge Function costs",
    "",
    `Deno 2.1.4, the level of hosted functions; ${availableParallelism()} cores, load ${
      loadavg()[0].toFixed(1)
    } when done. Medians of ${ROUNDS} rounds taken in turns`,
    `(cold: ${COLD_STARTS} fresh processes each). The store answers at once; processor time is the whole process's.`,
    "",
    "| a request of | function | processor time | beyond passing on |",
    "|---|---|---|---|",
    ...warmRows.map(({ events, name, ms, beyond }) =>
      `| ${events === 1 ? "1 event" : `${events} events`} | ${name} | ${ms.toFixed(2)} ms | ${beyond.toFixed(2)} ms |`
    ),
    "",
    "| fresh process to first answer | median | best | processor time | bundle |",
    "|---|---|---|---|---|",
    ...coldRows.map(({ name, ms, best, cpu }, i) =>
      `| ${name} | ${ms.toFixed(0)} ms | ${best.toFixed(0)} ms | ${cpu.toFixed(0)} ms | ${
        (bundles[i].bytes / 1024).toFixed(0)
      } KiB |`
    ),
    "",
  ].join("\n");
  writeFileSync(join(root, "bench", "FUNCTION.md"), report);
  record(
    "function",
    Object.fromEntries([
      ...warmRows.map((
        { events, name, ms },
      ) => [`${name}, ${events} a request, processor ms`, { value: ms, better: "lower" }]),
      ...coldRows.map(({ name, ms }) => [`${name}, fresh process to first answer, ms`, { value: ms, better: "lower" }]),
    ]),
  );
  console.log(report);
} finally {
  store.close();
  rmSync(folder, { recursive: true, force: true });
}
