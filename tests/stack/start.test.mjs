import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";
import { publishableKey, secretKey } from "../../local/settings.mjs";
import { begun } from "./beginning.mjs";
import { freePort, ingest, launch, launchAndFail, rest, temporaryFolder, view, within } from "./launch.mjs";

/** A folder as a first start without the demo leaves it. @param {import("node:test").TestContext} t */
async function begunFolder(t) {
  const folder = temporaryFolder(t);
  await begun(folder);
  return folder;
}

/** How many events a stack has. @param {string} url */
async function count(url) {
  const response = await fetch(`${url}/rest/v1/audience_events?select=id&limit=1`, {
    headers: { apikey: secretKey, prefer: "count=exact" },
  });
  await response.body?.cancel();
  return Number(response.headers.get("content-range")?.split("/")[1]);
}

/** What the user of the demo is in which site. @param {string} url */
async function rolesOfDemo(url) {
  const session = await fetch(`${url}/auth/v1/token?grant_type=password`, {
    method: "POST",
    headers: { apikey: publishableKey, "content-type": "application/json" },
    body: JSON.stringify({ email: "demo@example.test", password: "demo-password" }),
  });
  assert.equal(session.status, 200);
  const { access_token } = await session.json();
  const sites = await rest(url, "audience_site_members?select=role&order=site_id,role", {
    apikey: publishableKey,
    authorization: `Bearer ${access_token}`,
  });
  return sites.answer.map((/** @type {{ role: string }} */ { role }) => role);
}

// From nothing, which takes the longest of all starts: what it leaves is looked at from every side.
test("the first start accepts an event within a minute and makes the demo, the second has both within ten seconds, and a reset forgets them", async (t) => {
  const folder = temporaryFolder(t);
  const port = String(await freePort());
  const event = view();

  const first = await launch(t, ["--data", folder, "--port", port]);
  const taken = await ingest(first.url, event);
  assert.deepEqual([taken.status, taken.answer.results[0].id], [200, event.id]);
  assert.ok(first.seconds < within(60), `the first start took ${first.seconds} s`);
  const before = await count(first.url);
  assert.ok(before > 3000, `${before} events`);
  const categories = await rest(first.url, "audience_events?select=event_category&rejected=is.true&limit=5");
  assert.ok(categories.answer.length > 0, "some events are rejected");
  assert.deepEqual(await rolesOfDemo(first.url), ["owner", "owner", "viewer"], "of the magazine, of its podcast");
  assert.equal(await first.end("SIGINT"), 0, first.said);

  const second = await launch(t, ["--data", folder, "--port", port]);
  const again = await ingest(second.url, event);
  assert.deepEqual([again.status, again.answer.replayed], [200, 1]);
  assert.ok(second.seconds < within(10), `the second start took ${second.seconds} s`);
  assert.equal(await count(second.url), before, "the demo is made once");
  await second.end("SIGTERM");
  t.diagnostic(`first start ${first.seconds.toFixed(1)} s, second start ${second.seconds.toFixed(1)} s`);

  const reset = await launch(t, ["--data", folder, "--port", port, "--reset", "--empty"]);
  assert.equal(await count(reset.url), 0);
  await reset.end("SIGINT");
});

test("the greeting's two events are answered as it says", async (t) => {
  const { url, said } = await launch(t, [
    "--data",
    await begunFolder(t),
    "--port",
    String(await freePort()),
    "--empty",
  ]);
  const bodies = [...said.matchAll(/-d '(.*)'/g)].map(([, body]) => JSON.parse(body));
  const accepted = await ingest(url, bodies[0]);
  const rejected = await ingest(url, bodies[1]);
  assert.deepEqual(
    [accepted.status, rejected.status, rejected.answer.results[0].rule_id],
    [200, 422, "engagement.content_view_threshold"],
  );
  for (const key of [publishableKey, secretKey]) assert.ok(said.includes(key));
});

test("a start that cannot be says why", async (t) => {
  const port = await freePort();
  const other = createServer().listen(port, "127.0.0.1");
  t.after(() => other.close());
  const taken = await launchAndFail(["--data", temporaryFolder(t), "--port", String(port), "--empty"]);
  assert.equal(taken.code, 1);
  assert.match(taken.said, new RegExp(`port ${port} is taken; choose another`));

  const folder = await begunFolder(t);
  await launch(t, ["--data", folder, "--port", String(await freePort()), "--empty"]);
  const twice = await launchAndFail(["--data", folder, "--port", String(await freePort()), "--empty"]);
  assert.equal(twice.code, 1);
  assert.match(twice.said, /already running/);

  const file = await launchAndFail(["--data", "package.json/data", "--empty"]);
  assert.equal(file.code, 1);
  assert.match(file.said, /package\.json\/data, which cannot be written to; choose another folder/);

  const wrong = await launchAndFail(["--port", "none"]);
  assert.equal(wrong.code, 1);
  assert.match(wrong.said, /--port takes a number/);
});

test("pages are served, other files are not", async (t) => {
  const { url } = await launch(t, ["--data", await begunFolder(t), "--port", String(await freePort()), "--empty"]);
  const cases = /** @type {const} */ ([
    ["/", 200],
    ["/demo", 308],
    ["/demo/", 200],
    ["/dashboard/", 200],
    ["/no-such-page", 404],
    ["/..%2f..%2fpackage.json", 404],
    ["/dashboard/..%2f..%2f..%2fpackage.json", 404],
    ["/%E0%A4%A", 404],
    ["/rest/v1/audience_events", 401],
    ["/functions/v1/other", 404],
  ]);
  const seen = await Promise.all(cases.map(async ([path]) => {
    const response = await fetch(url + path, { redirect: "manual" });
    await response.body?.cancel();
    return [path, response.status];
  }));
  assert.deepEqual(seen, cases.map(([path, status]) => [path, status]));
});
