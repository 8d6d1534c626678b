import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { SCENARIO_VERSIONS } from "../database/postgres.mjs";
import { applyArchive, gate } from "./archived.mjs";
import { useLog } from "./log.mjs";

/** @typedef {Record<string, unknown>} Event */

/** What every record of a rejection holds. */
const REQUIRED = { validation_rule_id: "base.session_id", validation_result: "rejected", source_system: "web" };
const long = (/** @type {number} */ count, /** @type {string} */ last) =>
  Object.fromEntries(
    "abcdefg".split("").slice(0, count).map((key) => [key, "x".repeat(1000)]).concat([["last", last]]),
  );

const KEPT = { rejection_reason: "so it was", original_payload_snapshot: "{x" };

/** @type {[string, Event, Event][]} what the metadata of such a record held besides, and what it holds after a load */
const CASES = [
  ["is without a reason", { original_payload_snapshot: "{x" }, { original_payload_snapshot: "{x" }],
  ["is without a snapshot", { rejection_reason: "so it was" }, {
    rejection_reason: "so it was",
    original_payload_snapshot: null,
  }],
  ["kept a hash of what was sent", { ...KEPT, payload_sha256: "0123456789abcdef".repeat(4) }, KEPT],
  ["kept an address", { original_payload_snapshot: { event_type: "x", note: "ada@mail.example" } }, {
    original_payload_snapshot: { event_type: "x", note: "[redacted:email]" },
  }],
  ["kept a person's keys", { original_payload_snapshot: { useremail: "ada", metadata: { phone: "1" } } }, {
    original_payload_snapshot: {
      "[redacted:personal]": "[redacted:personal]",
      metadata: { "[redacted:personal]": "[redacted:personal]" },
    },
  }],
  ["has no room for the reason", { original_payload_snapshot: long(7, "y".repeat(900)) }, {
    original_payload_snapshot: (({ last: _, ...kept }) => kept)(long(7, "")),
    snapshot_shortened: true,
  }],
];

const record = (/** @type {string} */ session_id, /** @type {Event} */ metadata) => ({
  id: randomUUID(),
  created_at: "2025-03-03T12:00:00Z",
  session_id,
  event_type: "event_validation_fail",
  event_category: "system",
  event_source: "web",
  rejected: true,
  contract: "0123456789abcdef",
  metadata: { ...REQUIRED, ...metadata },
});

for (const version of SCENARIO_VERSIONS) {
  describe(`audience-gate load of records of rejections on Postgres ${version}`, () => {
    const log = useLog(({ client }) => applyArchive(client), { version });
    const load = (/** @type {Event[]} */ events) => {
      const path = join(log.folder, `${randomUUID()}.ndjson`);
      writeFileSync(path, events.map((event) => JSON.stringify(event) + "\n").join(""));
      return gate(log.url, "load", path);
    };
    const stored = async (/** @type {string} */ id) => {
      const { rows: [row] } = await log.client.query(
        `select session_id, rejected, metadata, contract = audience_gate.contract_fingerprint() as judged
         from public.audience_events where id = $1`,
        [id],
      );
      return row;
    };

    it("brings what an older contract wrote up to this one, and loses none", async () => {
      const records = CASES.map(([name, metadata]) => record(`session that ${name}`, metadata));
      const ran = load(records);
      assert.deepEqual([ran.status, ran.stderr], [0, ""]);
      assert.match(ran.stdout, /6 loaded, .* 0 refused, 6 records of rejections brought up to this contract/);
      const { rows: [{ rejection_reason }] } = await log.client.query(
        "select audience_gate.reason('base.session_id') as rejection_reason",
      );
      for (const [index, [name, , metadata]] of CASES.entries()) {
        const { id, session_id } = records[index];
        const expected = { rejection_reason, ...REQUIRED, ...metadata };
        assert.deepEqual(await stored(id), { session_id, rejected: true, metadata: expected, judged: true }, name);
      }
    });

    it("keeps no session that names a person", async () => {
      const { id, ...named } = record("session of ada@mail.example", KEPT);
      assert.equal(load([{ id, ...named }]).status, 0);
      assert.equal((await stored(id)).session_id, "unknown-session");
    });

    it("refuses what is no record of a rejection", () => {
      const ran = load([record("session-0001", { validation_result: undefined })]);
      assert.equal(ran.status, 1);
      assert.match(ran.stderr, /line 1: system\.validation_result/);
    });
  });
}
