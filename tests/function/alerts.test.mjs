/** From an alert that fires to the receiver that is told: the whole local stack, and receivers of every temper. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { freePort, listen } from "../../local/ports.mjs";
import { alertSecret } from "../../local/settings.mjs";
import { startStack } from "../../local/stack.mjs";
import { root } from "../runner/paths.mjs";
import { begun } from "../stack/beginning.mjs";

const SITE = "00000000-0000-4000-8000-000000000001";
const OWNER = { email: "owner@example.test", password: "owner-password" };
const folder = mkdtempSync(join(tmpdir(), "audience-gate-alerts-"));
/** @type {(() => unknown)[]} */
const undo = [() => rmSync(folder, { recursive: true, force: true })];
/** @type {Awaited<ReturnType<typeof startStack>>} */
let stack;
/** @type {string} */
let token;
/** @type {string} */
let receiver;
/** What receivers got, and what they do next. @type {{ path: string, headers: import("node:http").IncomingHttpHeaders, body: string }[]} */
const got = [];
/** @type {(response: import("node:http").ServerResponse) => void} */
let answer;

before(async () => {
  await begun(folder);
  stack = await startStack({ folder, port: await freePort(), demo: false, pages: false });
  undo.push(stack.close);
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray()).toString("utf8");
    got.push({ path: request.url ?? "", headers: request.headers, body });
    answer(response);
  });
  const port = await listen(server, await freePort(), { exactly: true });
  undo.push(() => server.close(), () => server.closeAllConnections());
  receiver = `http://127.0.0.1:${port}`;
  const signedUp = await post("/auth/v1/signup", OWNER);
  token = (await signedUp.json()).access_token;
  await sql(
    `insert into public.audience_site_members (site_id, user_id, role) select '${SITE}', id, 'owner' from auth.users`,
  );
  await sql(
    `insert into public.audience_alerts (site_id, kind, source, threshold, minutes) values ('${SITE}', 'silence', 'kiosk', 0, 30)`,
  );
  await add("programs", "json", "/json/hush");
  await add("people", "slack", "/slack/hush");
});
after(async () => {
  for (const step of undo.reverse()) await step();
});
beforeEach(() => {
  got.length = 0;
  answer = (response) => response.end("ok");
});

const post = (
  /** @type {string} */ path,
  /** @type {object} */ body,
  /** @type {Record<string, string>} */ headers = {},
) =>
  fetch(`${stack.url}${path}`, {
    method: "POST",
    headers: { apikey: stack.publishableKey, "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
const asOwner = () => ({ authorization: `Bearer ${token}` });
const sql = async (/** @type {string} */ text) => (await stack.database.query(text)).rows;

async function add(/** @type {string} */ name, /** @type {string} */ form, /** @type {string} */ path) {
  const body = { site: SITE, name, form, url: receiver + path };
  const response = await post("/rest/v1/rpc/audience_add_alert_destination", body, asOwner());
  assert.equal(response.status, 200, await response.text());
}

/** What the schedule does. @param {Record<string, string>} [headers] @param {string} [query] */
async function send(headers = { apikey: stack.secretKey }, query = "") {
  const response = await post(`/functions/v1/ingest/alerts${query}`, {}, headers);
  assert.equal(response.status, 200);
  return await response.json();
}

/** The alert fires or ends at the next look: its sender was last heard so many minutes ago. @param {number} minutes */
async function heard(minutes) {
  await stack.database.exec(`
    begin; set local role audience_gate_store;
    insert into public.audience_events (created_at, session_id, event_type, event_category, event_source, contract)
    values (now() - interval '${minutes} minutes', 'session-of-kiosk', 'page_view', 'engagement', 'kiosk', audience_gate.contract_fingerprint());
    commit`);
  await sql("select audience_gate.run_job('check_alerts')");
}

test("an alert that fires is told once to each destination, signed, however many send", async () => {
  await heard(50);
  assert.equal(got.length, 0, "nothing is sent before somebody calls");
  const answers = await Promise.all([send(), send(), send(asOwner())]);
  assert.equal(answers.reduce((sum, { delivered }) => sum + delivered, 0), 2);
  assert.deepEqual(got.map(({ path }) => path).sort(), ["/json/hush", "/slack/hush"]);
  const json = got.find(({ path }) => path === "/json/hush");
  const time = json?.headers["audience-gate-timestamp"];
  assert.ok(Math.abs(Number(time) - Date.now() / 1000) < 60);
  assert.equal(
    json?.headers["audience-gate-signature"],
    `v1=${createHmac("sha256", alertSecret).update(`${time}.${json?.body}`).digest("hex")}`,
  );
  const { id, at, alert, value, site, ...rest } = JSON.parse(json?.body ?? "{}");
  assert.equal(json?.headers["audience-gate-delivery"], id);
  assert.ok(value >= 50 && site.id === SITE && alert && at);
  assert.deepEqual(rest, { type: "alert.fired", kind: "silence", source: "kiosk", threshold: 30 });
  assert.match(
    JSON.parse(got.find(({ path }) => path === "/slack/hush")?.body ?? "{}").text,
    /sender kiosk: a sender fell silent/,
  );
  assert.deepEqual(await send(), { delivered: 0, due: 0, failed: 0, results: [] });

  await heard(1);
  got.length = 0;
  await send();
  assert.deepEqual(got.map(({ body }) => /alert.cleared|it is over/.test(body)), [true, true], "its end is told, too");
  assert.equal(
    (await sql("select from public.audience_alert_deliveries where state = 'delivered' and attempts = 1")).length,
    4,
  );
});

test("a receiver that fails is told later, the same message, until it takes it", async () => {
  await sql("delete from public.audience_alert_destinations where name = 'people'");
  await stack.database.exec("update public.audience_alerts set minutes = 5");
  await sql(
    "insert into public.audience_alert_firings (alert_id, site_id, kind, source, state, value, threshold) select id, site_id, kind, source, 'fired', 9, 5 from public.audience_alerts",
  );
  /** @type {[string, (response: import("node:http").ServerResponse) => void, string, number | null][]} */
  const tempers = [
    ["500", (response) => response.writeHead(500).end("no"), "status", 500],
    ["429", (response) => response.writeHead(429, { "retry-after": "900" }).end(), "status", 429],
    ["a redirect", (response) => response.writeHead(308, { location: `${receiver}/elsewhere` }).end(), "redirect", 308],
    ["cut off", (response) => response.destroy(), "connection", null],
    ["slow", () => {}, "timeout", null],
  ];
  const ids = new Set();
  for (const [name, temper, problem, status] of tempers) {
    got.length = 0;
    answer = temper;
    const { results, due } = await send();
    assert.deepEqual([due, results[0]?.problem, results[0]?.status], [1, problem, status], name);
    // A runtime may try again at once where a connection that it kept breaks off.
    assert.ok(got.length === 1 || name === "cut off", `${name}: ${got.length} requests`);
    for (const { path, headers } of got) {
      assert.equal(path, "/json/hush");
      ids.add(headers["audience-gate-delivery"]);
    }
    assert.deepEqual((await send()).results, [], `${name}: it waits`);
    const [{ seconds }] = await sql(
      "select extract(epoch from due_at - now())::int as seconds from public.audience_alert_deliveries where state = 'due'",
    );
    assert.ok(Number(seconds) > (name === "429" ? 800 : 20), `${name}: ${seconds} seconds`);
    await stack.database.exec("update public.audience_alert_deliveries set due_at = now() where state = 'due'");
  }
  answer = (response) => response.end();
  assert.equal((await send()).delivered, 1);
  ids.add(got.at(-1)?.headers["audience-gate-delivery"]);
  assert.equal(ids.size, 1, "a receiver can tell a message that came twice");
});

test("a receiver that is down costs the others nothing", async () => {
  const nobody = await freePort();
  await post("/rest/v1/rpc/audience_add_alert_destination", {
    site: SITE,
    name: "down",
    form: "json",
    url: `http://127.0.0.1:${nobody}/hush`,
  }, asOwner());
  await post("/rest/v1/rpc/audience_test_alerts", { site: SITE }, asOwner());
  const { results } = await send(asOwner());
  assert.deepEqual(
    results.map((/** @type {Record<string, unknown>} */ { destination, type, problem }) => [destination, type, problem])
      .sort(),
    [["down", "alert.test", "connection"], ["programs", "alert.test", null]],
  );
});

test("the command has destinations told that it is a test, and says what came of it", async () => {
  await stack.database.exec(
    "update public.audience_alert_deliveries set created_at = created_at - interval '1 minute'",
  );
  const child = spawn(process.execPath, [join(root, "installer/main.mjs"), "alerts", "--test", "--url", stack.url], {
    env: { ...process.env, AUDIENCE_GATE_KEY: stack.secretKey },
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => said += chunk);
  const [code] = await once(child, "close");
  assert.match(said, /^down: alert.test did not arrive: it could not be reached; look at its address$/m);
  assert.match(said, /^programs: alert.test arrived$/m);
  assert.match(said, /^1 delivered, 1 due again, 0 given up$/m);
  assert.equal(code, 1);
});

test("no member reads an address, and no log has one", async () => {
  for (
    const path of [
      "audience_alert_destinations?select=*",
      "audience_alert_deliveries?select=*",
      "audience_registry_events?select=*",
    ]
  ) {
    const text =
      await (await fetch(`${stack.url}/rest/v1/${path}`, { headers: { apikey: stack.publishableKey, ...asOwner() } }))
        .text();
    assert.match(text, /^\[\{/, path);
    assert.doesNotMatch(text, /hush/, path);
  }
  assert.doesNotMatch(readFileSync(join(folder, "stack.log"), "utf8"), /hush/);
});
