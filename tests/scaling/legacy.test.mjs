/** `audience-gate legacy` on a team's database from before the gate, which tests/database/legacy.test.mjs looks into. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { asClient, migrate, startPostgres } from "../database/postgres.mjs";
import { gate } from "./archived.mjs";

const TEAM = readFileSync(new URL("../database/legacy.sql", import.meta.url), "utf8");

describe("audience-gate legacy", () => {
  /** @type {import("../database/postgres.mjs").Postgres} */
  let postgres;
  before(async () => {
    postgres = await startPostgres({ migrations: [] });
    await asClient(postgres.url, async (client) => {
      await client.query(TEAM);
      await migrate(client);
    });
  });
  after(() => postgres.stop());

  /** @param {string[]} words */
  const legacy = (...words) => gate(postgres.url, "legacy", ...words);

  it("reports by rule and by type, with redacted samples and what could be registered", () => {
    const { status, stdout } = legacy("report");
    assert.equal(status, 0);
    assert.match(
      stdout,
      /^500 rows are older than the gate and not accepted\.\n +150 would be accepted\n +350 would be rejected\n/,
    );
    assert.match(stdout, /\n +50 engagement\.content_view_threshold\n +\{"event":\{.*"duration_seconds":2\b/);
    assert.match(stdout, /\n +50 privacy\.raw_email\n +\{.*\[redacted:email\]/);
    assert.match(stdout, /\n +content_view: 50 accepted, 50 rejected\n/);
    assert.match(stdout, /\n +50 webinar_joined as engagement\n/);
    assert.match(stdout, /\n +50 x as engagement, but it has fewer than 3/);
    assert.match(stdout, /\n +5 S0 {2}stood in "a_state_of_our_own_making"/);
    assert.doesNotMatch(stdout, /canary/);
    const { would_accept, by_rule } = JSON.parse(legacy("report", "--json").stdout);
    assert.deepEqual([would_accept, by_rule["privacy.raw_email"].rows], [150, 50]);
  });

  it("registers types by name, and says which it could not", () => {
    const { status, stdout, stderr } = legacy("register", "webinar_joined", "nobody_has_this");
    assert.equal(status, 1);
    assert.match(stdout, /^registered webinar_joined as engagement/);
    assert.match(stderr, /nobody_has_this was not registered/);
    assert.equal(legacy("register", "--all").status, 0);
    assert.equal(legacy("register").status, 2);
  });

  it("judges, leaves nothing to judge, and judges again what was rejected", async () => {
    const first = legacy("judge", "--batch", "70");
    assert.match(first.stdout, /^500 rows judged: 200 accepted, 300 rejected\n/);
    assert.equal(first.status, 1);
    assert.match(legacy("judge").stdout, /^0 rows judged: 0 accepted, 0 rejected\n/);
    await asClient(
      postgres.url,
      (client) =>
        client.query("update public.audience_event_types set category = 'engagement' where id = 'account_created'"),
    );
    assert.match(legacy("judge", "--again").stdout, /^300 rows judged: 50 accepted, 250 rejected\n/);
    const { stdout } = legacy("report");
    assert.match(
      stdout,
      /^250 rows are older than the gate and not accepted\.\n +250 were rejected by an earlier judgement/,
    );
  });
});
