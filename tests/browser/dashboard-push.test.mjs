// The dashboard where a project has Realtime: built for that project, served from elsewhere under its own policy, and told of
// changes by a server of the tests' own (realtime.mjs) from what the database has written for it.
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, request as send } from "node:http";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import process from "node:process";
import { after, before, beforeEach, test } from "node:test";
import { build } from "vite";
import { freePort } from "../../local/ports.mjs";
import { startStack } from "../../local/stack.mjs";
import { pageHeaders } from "../../web/shared/headers.mjs";
import { begun } from "../stack/beginning.mjs";
import { until } from "../until.mjs";
import { complaints, launch, LOOKS, violations } from "./pages.mjs";
import { realtime } from "./realtime.mjs";

const WAIT = { timeout: 60_000 };
const TYPES = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".woff2": "font/woff2",
  ".svg": "image/svg+xml",
};
/** @typedef {import("playwright-core").Page} Page */
/** @type {string[]} */
const folders = [];
/** @type {(() => unknown)[]} */
const undo = [];
/** @type {Awaited<ReturnType<typeof startStack>>} */
let stack;
/** @type {import("playwright-core").Browser} */
let browser;
/** @type {ReturnType<typeof realtime>} */
let server;
/** @type {string} */
let address;
let refused = false;
/** What the page has sent to Realtime and has no answer to. @type {Set<string>} */
const unanswered = new Set();

/** @param {import("node:http").RequestListener} answer */
async function serving(answer) {
  const made = createServer(answer);
  const port = await freePort();
  await new Promise((resolve) => made.listen(port, "127.0.0.1", () => resolve(undefined)));
  undo.push(() => {
    made.closeAllConnections();
    made.close();
  });
  return { made, url: `http://127.0.0.1:${port}` };
}

before(async () => {
  const folder = await mkdtemp(join(tmpdir(), "audience-gate-push-"));
  const pages = await mkdtemp(join(tmpdir(), "audience-gate-push-pages-"));
  folders.push(folder, pages);
  browser = await launch();
  await begun(folder);
  stack = await startStack({ folder, port: await freePort(), pages: false });
  const at = new URL(stack.url);

  // The project: the stack, and Realtime.
  const project = await serving((incoming, outgoing) => {
    const { method, headers, url: path } = incoming;
    if (method === "OPTIONS") {
      // A hosted project lets every page send these, which the embedded one does not.
      return outgoing.writeHead(204, {
        "access-control-allow-origin": headers.origin ?? "",
        "access-control-allow-headers": headers["access-control-request-headers"] ?? "",
        "access-control-allow-methods": "GET, POST, PATCH, DELETE",
      }).end();
    }
    const forward = send({ host: at.hostname, port: at.port, path, method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    forward.on("error", () => outgoing.destroy());
    incoming.pipe(forward);
  });
  server = realtime(project.made, async (topic, token) => {
    const { sub } = JSON.parse(String(Buffer.from(token.split(".")[1] ?? "", "base64url")));
    const [{ hears }] = await sql(
      `select exists (select from public.audience_site_members
         where user_id = $1 and 'audience-gate:' || site_id = $2) as hears`,
      sub,
      topic,
    );
    return !refused && hears;
  });

  Object.assign(process.env, { VITE_SUPABASE_URL: project.url, VITE_SUPABASE_PUBLISHABLE_KEY: stack.publishableKey });
  const { default: config } = await import("../../web/dashboard/vite.config.js");
  await build({ ...config, build: { ...config.build, outDir: pages } });
  const host = await serving((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://host");
    const name = pathname === "/" ? "index.html" : pathname.slice(1);
    const type = TYPES[/** @type {keyof typeof TYPES} */ (extname(name))] ?? "application/octet-stream";
    readFile(join(pages, name)).then(
      (body) => response.writeHead(200, { ...pageHeaders(project.url), "content-type": type }).end(body),
      () => response.writeHead(404).end(),
    );
  });
  address = host.url;
});
after(async () => {
  await browser?.close();
  for (const step of undo) await step();
  await stack?.close();
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});
beforeEach(() => {
  refused = false;
  server.there = true;
  Object.assign(server, { opened: 0, beats: 0 });
  server.joins.length = 0;
  server.renewals.length = 0;
});

/** @param {string} text @param {unknown[]} parameters @returns {Promise<Record<string, any>[]>} */
const sql = async (text, ...parameters) => (await stack.database.query(text, parameters)).rows;

/** Signs in with a clock that the test moves. @param {import("node:test").TestContext} t @param {string[]} [ignore] */
async function signedIn(t, ignore = []) {
  const context = await browser.newContext({ ...LOOKS[0], reducedMotion: "reduce" });
  t.after(() => context.close());
  await context.clock.install();
  const page = await context.newPage();
  const said = complaints(page, ignore);
  page.on("websocket", (socket) => {
    const message = (/** @type {{ payload: string | Buffer }} */ { payload }) => JSON.parse(String(payload));
    socket.on("framesent", (frame) => {
      const { event, ref } = message(frame);
      // A token is taken without an answer.
      if (event !== "access_token") unanswered.add(ref);
    });
    socket.on("framereceived", (frame) => unanswered.delete(message(frame).ref));
    socket.on("close", () => unanswered.clear());
  });
  /** @type {string[]} */
  const asked = [];
  page.on("request", (request) => {
    if (request.url().includes("/rest/v1/")) asked.push(new URL(request.url()).pathname.replace("/rest/v1/rpc/", ""));
  });
  await page.goto(address);
  await page.getByLabel("E-mail").fill("demo@example.test");
  await page.getByLabel("Password").fill("demo-password");
  await page.getByRole("button", { name: "Sign in" }).click();
  await loaded(page);
  return { page, said, asked };
}

/** @param {Page} page */
async function loaded(page) {
  await page.waitForSelector("main[data-loaded]", WAIT);
  await page.waitForFunction(() => !document.querySelector(".panel[aria-busy=true]"), undefined, WAIT);
}

/** @param {Page} page @param {boolean} yes */
const told = (page, yes) => page.waitForSelector(`main[data-told=${yes}]`, WAIT);

/** Time goes by while somebody looks. @param {Page} page @param {number} seconds */
async function watched(page, seconds) {
  for (let gone = 0; gone < seconds; gone += 5) {
    await page.mouse.move(200 + gone % 50, 300);
    await passed(page, 5);
  }
}

/** Time goes by. An answer over the network takes its time on no clock of the page's. @param {Page} page @param {number} seconds */
async function passed(page, seconds) {
  await page.clock.runFor(seconds * 1_000);
  await until(() => unanswered.size === 0 || server.open.size === 0, "every beat is answered");
}

/** @param {Page} page @param {boolean} hidden */
const look = (page, hidden) =>
  page.evaluate((hidden) => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
    document.dispatchEvent(new Event("visibilitychange"));
  }, hidden);

/** An event comes in by the function, a fold takes it, and what the fold wrote for Realtime is broadcast. @param {string} type */
async function happens(type) {
  const response = await fetch(`${stack.url}/functions/v1/ingest`, {
    method: "POST",
    headers: { apikey: stack.publishableKey, "content-type": "application/json" },
    body: JSON.stringify({
      session_id: `push-${crypto.randomUUID()}`,
      event_type: type,
      event_category: "engagement",
      event_source: "web",
      metadata: { report_id: "push", page_path: "/push" },
    }),
  });
  assert.equal(response.status, 200);
  await sql("update audience_gate.site_listeners set told_at = null");
  await sql("select audience_gate.fold_analytics()");
  const messages = await sql("delete from realtime.messages returning topic, event, payload");
  assert.ok(messages.length > 0, "the fold tells of the site that somebody looks at");
  for (const { topic, event, payload } of messages) server.broadcast(topic, event, payload);
}

test("a project without Realtime is asked, and no socket is opened to it", async (t) => {
  const { page, said, asked } = await signedIn(t);
  await until(() => asked.includes("audience_push_topic"), "the page asks for a topic");
  asked.length = 0;
  await watched(page, 65);
  assert.ok(asked.filter((name) => name === "audience_recent_events").length >= 5, asked.join());
  assert.ok(asked.includes("kpi_overview"), asked.join());
  assert.equal(server.opened, 0);
  assert.deepEqual(said, []);
  await stack.database.exec(await readFile(new URL("../database/realtime.sql", import.meta.url), "utf8"));
  assert.deepEqual(await sql("select audience_gate.enable_push() as push"), [{ push: { realtime: true } }]);
});

test("a page that is told asks nothing, and at a change only for what is on the screen", async (t) => {
  const { page, said, asked } = await signedIn(t);
  await told(page, true);
  assert.deepEqual(await violations(page), []);
  await loaded(page);
  asked.length = 0;
  await watched(page, 300);
  assert.equal(asked.join(), "", "nothing in five minutes");
  assert.ok(server.beats >= 10, `${server.beats} beats`);
  assert.equal(server.opened, 1);

  await happens("benchmark_compared");
  await until(async () => {
    await page.clock.runFor(1_000);
    return asked.includes("audience_recent_events");
  }, "the page reads at a change");
  await page.locator(".ticker li", { hasText: "Benchmark compared" }).first().waitFor(WAIT);
  await loaded(page);
  assert.ok(asked.includes("kpi_overview"), asked.join());
  assert.ok(!asked.includes("kpi_retention"), asked.join());
  t.diagnostic(`asked at a change: ${asked.join(", ")}`);
  await page.locator("#retention").scrollIntoViewIfNeeded();
  await until(() => asked.includes("kpi_retention"), "what comes onto the screen is read");
  await loaded(page);
  asked.length = 0;
  await watched(page, 60);
  assert.equal(asked.join(), "", "what has been read once is not read again");
  await watched(page, 900);
  assert.equal(
    asked.filter((name) => name === "kpi_freshness").length,
    1,
    "a quarter of an hour later all is, in any case",
  );
  assert.deepEqual(said, [], "under the policy that the page is served with");
});

test("a connection that is lost is made again, and meanwhile the page asks", async (t) => {
  const { page, asked } = await signedIn(t, ["WebSocket connection"]);
  await told(page, true);
  server.there = false;
  server.drop();
  await told(page, false);
  asked.length = 0;
  await watched(page, 15);
  assert.ok(asked.includes("audience_recent_events"), asked.join());
  server.there = true;
  asked.length = 0;
  await until(
    async () => {
      await watched(page, 5);
      return await page.locator("main[data-told=true]").count() === 1;
    },
    "the connection is made again",
    60,
  );
  await until(() => asked.includes("kpi_overview"), "what was missed is read");
  await loaded(page);
  asked.length = 0;
  await watched(page, 60);
  assert.equal(asked.join(), "");
});

test("whoever may not join is not told, and asks", async (t) => {
  refused = true;
  const { page, said, asked } = await signedIn(t);
  await until(() => server.joins.length > 0, "the page tries to join");
  asked.length = 0;
  await watched(page, 70);
  assert.ok(asked.filter((name) => name === "audience_recent_events").length >= 5, asked.join());
  assert.equal(await page.locator("main[data-told=true]").count(), 0);
  assert.ok(server.opened <= 5, `${server.opened} connections in 70 seconds`);
  assert.deepEqual(said, []);
});

test("whoever looks away leaves and asks nothing, and is back when they return", async (t) => {
  const { page, said, asked } = await signedIn(t);
  await told(page, true);
  await look(page, true);
  await until(() => server.open.size === 0, "the page has left");
  await loaded(page);
  asked.length = 0;
  await page.clock.runFor(600_000);
  assert.deepEqual([asked, server.open.size], [[], 0]);
  await look(page, false);
  await told(page, true);
  await until(async () => {
    await page.clock.runFor(1_000);
    return asked.includes("kpi_overview");
  }, "what was missed is read");
  await loaded(page);

  // Nobody moves: after five minutes nobody is taken to be there.
  for (let gone = 0; gone < 16; gone += 1) {
    await passed(page, 25);
  }
  assert.equal(server.open.size, 0);
  asked.length = 0;
  await page.clock.runFor(600_000);
  assert.equal(asked.join(), "");
  await page.mouse.move(300, 300);
  await told(page, true);
  await page.getByRole("link", { name: "Events", exact: true }).click();
  await until(() => server.open.size === 0, "the page has left");
  assert.deepEqual(said, []);
});

test("a session that is renewed goes on listening under its new token", async (t) => {
  const { page, said } = await signedIn(t);
  await told(page, true);
  const [first] = server.joins;
  await page.evaluate(() => {
    const key = "audience-gate.session";
    const session = JSON.parse(localStorage.getItem(key) ?? "");
    localStorage.setItem(key, JSON.stringify({ ...session, expires_at: Math.round(Date.now() / 1000) + 200 }));
  });
  await page.reload();
  await loaded(page);
  await told(page, true);
  await until(
    async () => {
      await watched(page, 10);
      return server.renewals.length > 0;
    },
    "the new token is told",
    60,
  );
  assert.equal(server.joins.at(-1), first, "it had joined under the token from before");
  assert.match(server.renewals[0], /^[\w-]+\.[\w-]+\.[\w-]+$/);
  await told(page, true);
  assert.equal(server.open.size, 1);
  const paths = [...server.open].map(({ path }) => path);
  assert.deepEqual(paths, [
    `/realtime/v1/websocket?apikey=${stack.publishableKey}&vsn=1.0.0`,
  ]);
  assert.deepEqual(said, []);
});
