// What a rule would have refused of what is stored, asked of the database a page at a time: whatever the pages, it is what the
// database says of each row, and whoever may not know it is refused.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { event, ingest } from "./events.mjs";
import { asClient, SCENARIO_VERSIONS, startPostgres } from "./postgres.mjs";

const SITE = "00000000-0000-4000-8000-000000000001";
const OTHER_SITE = "11111111-1111-4111-8111-111111111111";
const SCHEMA = { properties: { metadata: { properties: { page_path: { pattern: "^/shop" } } } } };
const OWNER = randomUUID();

/** 900 page views of 30 sources at two sites, every third of them of the shop. */
const SENT = Array.from({ length: 900 }, (_, n) =>
  event({
    event_source: `source-${n % 30}`,
    site_id: n % 7 === 0 ? OTHER_SITE : SITE,
    metadata: { page_path: n % 3 === 0 ? `/shop/${n}` : `/blog/${n}` },
  }));

/** @typedef {{ examined: number, bound: number, refused: number, others: number, by_sender: { site_id: string, events: number }[], samples: { path: string, event: Record<string, unknown> }[], next: Record<string, unknown> | null }} Found */

for (const version of SCENARIO_VERSIONS) {
  describe(`Postgres ${version}`, () => {
    /** @type {import("./postgres.mjs").Postgres} */
    let postgres;
    before(async () => {
      postgres = await startPostgres({ version });
      await asClient(postgres.url, async (client) => {
        await client.query("insert into public.audience_sites (id, name) values ($1, 'other')", [OTHER_SITE]);
        await client.query(
          "insert into public.audience_site_members (site_id, user_id, role) values ($1, $2, 'owner')",
          [
            OTHER_SITE,
            OWNER,
          ],
        );
        await ingest(client, SENT);
        await client.query(
          `insert into public.audience_own_rules (id, event_type, schema, mode, reasons)
           values ('own.shop', 'page_view', $1, 'observe', '{"en": "no"}')`,
          [SCHEMA],
        );
      });
    });
    after(() => postgres.stop());

    /** Asks until there is no next page. @param {Record<string, unknown>} asked @param {string} [settings] @returns {Promise<Found & { pages: number }>} */
    const whole = async (asked, settings = "select") => {
      for (let so_far = asked.so_far ?? null, pages = 1;; pages += 1) {
        // Each page on a connection of its own: nothing but the answer is carried on.
        const found = await page({ ...asked, so_far }, settings);
        if (found.next === null) return { ...found, pages };
        so_far = found;
      }
    };
    /** @param {Record<string, unknown>} asked @param {string} [settings] @returns {Promise<Found>} */
    const page = (asked, settings = "select") =>
      asClient(postgres.url, async (client) => {
        await client.query(settings);
        const given = Object.entries(asked).filter(([, value]) => value !== null);
        const { rows: [{ found }] } = await client.query(
          `select public.audience_back_test(${given.map(([name], n) => `${name} => $${n + 1}`).join(", ")}) as found`,
          given.map(([, value]) => typeof value === "object" ? JSON.stringify(value) : value),
        );
        return found;
      });

    test("pages of any size come to what the database says of each row", async () => {
      const { rows } = await asClient(postgres.url, (client) =>
        client.query(
          `select site_id::text, event_source, event_type, count(*)::int as events from public.audience_events e
           where not rejected and audience_gate.schema_fault($1, $1, audience_gate.own_instance(to_jsonb(e)), '{}') is not null
           group by 1, 2, 3 order by site_id::text, event_source collate "C", event_type`,
          [SCHEMA],
        ));
      const all = await whole({ rule: "own.shop" });
      assert.deepEqual([all.examined, all.bound, all.refused, all.others], [900, 900, 600, 0]);
      assert.deepEqual(all.by_sender, rows);
      for (const size of [13, 299, 450]) {
        const { pages, ...found } = await whole(
          { schema: SCHEMA, event_type: "page_view", page: size },
          "set timezone = 'Asia/Tokyo'",
        );
        const { pages: _, ...expected } = all;
        assert.deepEqual(found, expected, `pages of ${size}`);
        // A slow machine ends a page by its time.
        assert.ok(pages >= Math.floor(900 / size) + 1);
      }
    });

    test("ten samples show as many senders and nobody's id", async () => {
      const { samples } = await whole({ rule: "own.shop", page: 100 });
      assert.equal(samples.length, 10);
      assert.equal(new Set(samples.map(({ event }) => `${event.site_id} ${event.event_source}`)).size, 10);
      assert.ok(samples.every(({ path }) => path === "/metadata/page_path"));
      assert.doesNotMatch(JSON.stringify(samples), /session-|user_id|unknown field/);
    });

    test("a draft binds what it says, and what comes after the first page is not of it", async () => {
      /** @type {[Record<string, unknown>, number[]][]} */
      const cases = [
        [{ schema: SCHEMA, site: OTHER_SITE }, [129, 129, 86]],
        [{ schema: SCHEMA, category: "advocacy" }, [900, 0, 0]],
        [{ schema: false, event_type: "page_view" }, [900, 900, 900]],
        [{ schema: { required: ["occurred_at"] } }, [900, 900, 900]],
        [{ schema: false, since: "2100-01-01T00:00:00Z" }, [0, 0, 0]],
      ];
      for (const [asked, expected] of cases) {
        const { examined, bound, refused } = await whole(asked);
        assert.deepEqual([examined, bound, refused], expected, JSON.stringify(asked));
      }
      const first = await page({ schema: false, page: 100 });
      await asClient(postgres.url, (client) => ingest(client, [event({ event_source: "late" })]));
      const { examined } = await whole({ schema: false, so_far: first });
      assert.equal(examined, 900);
    });

    test("nothing is written, and none but trusted callers and owners of the site are told", async () => {
      const readOnly = "set default_transaction_read_only = on; begin read only";
      assert.ok((await whole({ rule: "own.shop" }, readOnly)).bound >= 900);
      /** @type {[string, Record<string, unknown>, RegExp | null][]} */
      const cases = [
        ["anon", { rule: "own.shop" }, /permission denied/],
        ["authenticated", { rule: "own.shop" }, /only owners of the site/],
        ["authenticated", { rule: "own.shop", site: SITE }, /only owners of the site/],
        ["authenticated", { rule: "own.shop", site: OTHER_SITE }, null],
        ["service_role", { rule: "own.shop" }, null],
      ];
      for (const [role, asked, refusal] of cases) {
        const claims = JSON.stringify({ sub: OWNER, role });
        const said = await page(asked, `select set_config('request.jwt.claims', '${claims}', false); set role ${role}`)
          .then(
            () => null,
            (/** @type {Error} */ { message }) => message,
          );
        assert.ok(
          refusal === null ? said === null : refusal.test(String(said)),
          `${role} ${JSON.stringify(asked)}: ${said}`,
        );
      }
    });

    test("what cannot be judged by is refused with what to do", async () => {
      const so_far = await page({ schema: SCHEMA, page: 10 });
      /** @type {[Record<string, unknown>, RegExp][]} */
      const cases = [
        [{}, /there is no rule to try/],
        [{ rule: "own.shop", schema: SCHEMA }, /there is no rule to try/],
        [{ rule: "own.nothing" }, /there is no rule own\.nothing/],
        [{ schema: { maxWords: 3 } }, /the keyword #\/maxWords is not supported/],
        [{ schema: false, so_far }, /so_far is of another rule/],
        [{ schema: SCHEMA, so_far: {} }, /so_far is of another rule/],
        [{ schema: SCHEMA, so_far: [] }, /so_far is of another rule/],
      ];
      for (const [asked, says] of cases) await assert.rejects(page(asked), { message: says }, JSON.stringify(asked));
    });

    test("more senders than can be listed are counted together", async () => {
      const sent = Array.from(
        { length: 1100 },
        (_, n) => event({ event_source: `many-${n}`, metadata: { page_path: "/many" } }),
      );
      await asClient(postgres.url, async (client) => {
        await ingest(client, sent.slice(0, 550));
        await ingest(client, sent.slice(550));
      });
      const schema = { properties: { metadata: { properties: { page_path: { not: { const: "/many" } } } } } };
      for (const size of [200, 5000]) {
        const { refused, others, by_sender, samples } = await whole({ schema, page: size });
        assert.deepEqual([refused, others, by_sender.length, samples.length], [1100, 100, 1000, 10]);
      }
    });
  });
}
