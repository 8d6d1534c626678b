// What a rule would have refused of what is stored is what the database says of each row, whatever the size of the batches.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, before, describe, test } from "node:test";
import { commandLine } from "../command_line.mjs";
import { event, ingest, insert } from "./events.mjs";
import { asClient, SCENARIO_VERSIONS, startPostgres } from "./postgres.mjs";

const program = commandLine();

const SITE = "00000000-0000-4000-8000-000000000001";
const OTHER_SITE = "11111111-1111-4111-8111-111111111111";
const SCHEMA = { properties: { metadata: { properties: { page_path: { pattern: "^/shop" } } } } };
const USER = "7d9f5a4e-3c1b-4f0a-9b3e-2a6d1c8e4f50";

/** 60 page views of three sources at two sites, every third of them of the shop; and another. */
const SENT = Array.from({ length: 60 }, (_, n) =>
  event({
    event_source: ["web", "app", "kiosk"][n % 3],
    site_id: n % 2 === 0 ? SITE : OTHER_SITE,
    user_id: n < 5 ? USER : null,
    metadata: { page_path: n % 3 === 0 ? `/shop/${n}` : `/blog/${n}` },
  })).concat(
    event({ event_type: "content_view", metadata: { content_id: "a", duration_seconds: 40 } }),
  );

/** What the database says of a rule, page after page. @param {string} url @param {Record<string, unknown>} asked */
const whole = (url, { schema, category = null, event_type = null, page }) =>
  asClient(url, async (client) => {
    /** @type {any} */
    let so_far = null;
    for (;;) {
      /** @type {{ rows: { found: any }[] }} */
      const { rows: [{ found }] } = await client.query(
        "select public.audience_back_test(null, $1, $2, $3, page => $4, so_far => $5) as found",
        [JSON.stringify(schema), category, event_type, page, so_far],
      );
      if (found.next === null) return found;
      so_far = found;
    }
  });

for (const version of SCENARIO_VERSIONS) {
  describe(`Postgres ${version}`, () => {
    /** @type {import("./postgres.mjs").Postgres} */
    let postgres;
    const folder = mkdtempSync(join(tmpdir(), "audience-gate-back-test-"));
    before(async () => {
      postgres = await startPostgres({ version });
      await asClient(postgres.url, async (client) => {
        await client.query("insert into public.audience_sites (id, name) values ($1, 'other')", [OTHER_SITE]);
        await ingest(client, SENT);
        await insert(client, [event({ session_id: "short", metadata: { page_path: "/refused" } })]);
        await client.query(
          `insert into public.audience_own_rules (id, event_type, schema, mode, reasons)
           values ('own.shop', 'page_view', $1, 'off', '{"en": "no"}')`,
          [SCHEMA],
        );
      });
    });
    after(async () => {
      await postgres.stop();
      rmSync(folder, { recursive: true, force: true });
    });
    /** @param {string[]} args */
    const run = (...args) =>
      spawnSync(program, ["back-test", ...args], {
        env: { ...process.env, DATABASE_URL: postgres.url },
        encoding: "utf8",
      });
    /** @param {Record<string, unknown>} rule @param {string[]} args */
    const drafted = (rule, ...args) => {
      const file = join(folder, "rule.json");
      writeFileSync(file, JSON.stringify(rule));
      const { status, stdout, stderr } = run(file, "--format", "json", ...args);
      assert.ok(status === 0 || status === 1, stderr);
      return { status, ...JSON.parse(stdout) };
    };

    test("the counts are those that the database itself comes to", async () => {
      const { rows } = await asClient(postgres.url, (client) =>
        client.query(
          `select site_id::text, event_source, event_type, count(*)::int as events from public.audience_events e
           where not rejected and event_type = 'page_view'
             and audience_gate.schema_fault($1, $1, audience_gate.own_instance(to_jsonb(e)), '{}') is not null
           group by 1, 2, 3 order by 1, 2, 3`,
          [SCHEMA],
        ));
      assert.equal(rows.length, 4);
      for (const batch of ["1", "7", "5000"]) {
        const found = drafted({ event_type: "page_view", schema: SCHEMA }, "--batch", batch);
        assert.deepEqual([found.status, found.examined, found.bound, found.refused], [1, 61, 60, 40], batch);
        assert.deepEqual(found.by_sender, rows, batch);
      }
      const { status, stdout } = run("own.shop");
      assert.equal(status, 1);
      assert.match(stdout, /^61 events, of which the rule binds 60 and would refuse 40\n/);
    });

    test("a rule binds what it says, from when it is asked", () => {
      for (
        const [rule, expected] of /** @type {[Record<string, unknown>, number[]][]} */ ([
          [{ site_id: OTHER_SITE }, [30, 20]],
          [{ category: "subscription" }, [0, 0]],
          [{ category: "engagement" }, [61, 40]],
          [{ event_type: "content_view", schema: false }, [1, 1]],
          [{ event_type: "content_view", schema: { required: ["occurred_at"] } }, [1, 1]],
        ])
      ) {
        const found = drafted({ schema: SCHEMA, ...rule });
        assert.deepEqual([found.bound, found.refused], expected, JSON.stringify(rule));
      }
      assert.equal(drafted({ schema: false }, "--since", "2100-01-01T00:00:00Z").examined, 0);
    });

    test("ten samples show each sender and nobody's id", () => {
      const { samples } = drafted({ event_type: "page_view", schema: SCHEMA });
      assert.equal(samples.length, 10);
      assert.equal(
        new Set(samples.map((/** @type {any} */ one) => one.event.site_id + one.event.event_source)).size,
        4,
      );
      assert.ok(samples.every((/** @type {any} */ one) => one.path === "/metadata/page_path"));
      assert.doesNotMatch(JSON.stringify(samples), /session-|7d9f5a4e/);
    });

    test("the database answers the same by itself, samples and places too", async () => {
      const odd = { ["k".repeat(70)]: { const: 1 }, page_path: { pattern: "^/shop" }, shoe_size: { type: "string" } };
      await asClient(postgres.url, async (client) => {
        await ingest(client, [
          event({ event_source: "odd", metadata: { page_path: "/shop/x", ["k".repeat(70)]: 2 } }),
          event({
            event_source: "odd",
            occurred_at: new Date().toISOString(),
            metadata: { page_path: "/shop/y", shoe_size: 41 },
          }),
          event({
            event_source: "odd",
            utm_source: "news",
            metadata: { page_path: "/shop/z", shoe_size: 42, text: "x".repeat(400) },
          }),
        ]);
        await client.query(
          "insert into public.audience_personal_words (words, reason) values ('shoe size', 'it tells people apart')",
        );
      });
      /** @type {Record<string, unknown>[]} */
      const rules = [
        { schema: SCHEMA },
        { schema: SCHEMA, event_type: "page_view", category: "engagement" },
        { schema: false },
        { schema: { properties: { metadata: { properties: odd } } } },
        { schema: { required: ["occurred_at"] }, event_type: "content_view" },
        { schema: true },
      ];
      for (const rule of rules) {
        const { status: _, ...native } = drafted(rule);
        for (const page of [5, 5000]) {
          const { next, others, ...found } = await whole(postgres.url, { ...rule, page });
          assert.deepEqual([next, others], [null, 0]);
          assert.deepEqual(found, native, `${JSON.stringify(rule)} in pages of ${page}`);
        }
      }
    });

    test("what cannot be judged by is refused with what to do", () => {
      writeFileSync(join(folder, "odd.json"), JSON.stringify({ id: "own.odd", schema: { maxWords: 3 } }));
      writeFileSync(join(folder, "no.json"), "{}");
      for (
        const [args, says] of /** @type {[string[], RegExp][]} */ ([
          [["own.nothing"], /the database has no rule own\.nothing/],
          [[join(folder, "odd.json")], /cannot be judged by: mend #\/maxWords/],
          [[join(folder, "no.json")], /give it a `schema`/],
          [["own.shop", "--since", "yesterday"], /send a time such as/],
        ])
      ) {
        const { status, stderr } = run(...args);
        assert.equal(status, 2, args.join(" "));
        assert.match(stderr, says);
      }
    });
  });
}
