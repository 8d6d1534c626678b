import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import pg from "pg";
import { startPostgres } from "../database/postgres.mjs";
import { applyArchive, gate, judgeInSpark, monthBefore, readInSpark, record, rowsOf } from "./archived.mjs";

const EVENTS = 400;

/** An event of history; every eighth says of what it is about nothing. @param {number} index */
const past = (index) => ({
  id: `00000000-0000-4000-8000-${String(index).padStart(12, "0")}`,
  session_id: `past-session-${index}`,
  event_type: "page_view",
  event_category: "engagement",
  event_source: "web",
  occurred_at: new Date(Date.UTC(2025, 2, 3) + index * 3_600_000).toISOString(),
  metadata: index % 8 === 0 ? {} : { page_path: `/größe/${index}`, depth: { number: 1.50, none: null } },
});

describe("an archive, a load and Spark", () => {
  /** @type {import("../database/postgres.mjs").Postgres} */
  let postgres;
  /** @type {pg.Client} */
  let client;
  const folder = mkdtempSync(join(tmpdir(), "audience-gate-spark-"));

  before(async () => {
    postgres = await startPostgres();
    client = new pg.Client({ connectionString: postgres.url });
    await client.connect();
    await applyArchive(client);
  });
  after(async () => {
    await client.end();
    await postgres.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it("has an archive that Spark reads, value for value", async () => {
    const month = await monthBefore(client, 1);
    await record(client, 1, 1500);
    const archive = join(folder, "archive");
    assert.equal(gate(postgres.url, "archive", archive, "--file-rows", "700").status, 0);
    const { types, rows } = readInSpark(join(archive, "*"));
    assert.deepEqual(rows, await rowsOf(client, month));
    assert.equal(types.created_at, "timestamp");
    assert.equal(types.rejected, "boolean");
    assert.equal(types.metadata, "string");
  });

  it("loads what Spark has judged, event for event", async () => {
    const events = Array.from({ length: EVENTS }, (_, index) => past(index));
    const sent = join(folder, "events.ndjson");
    writeFileSync(sent, events.map((event) => JSON.stringify(event) + "\n").join(""));
    const judged = join(folder, "judged");
    judgeInSpark(sent, "--output", judged);
    const { status, stderr } = gate(postgres.url, "load", join(judged, "accepted"));
    assert.equal(status, 0, stderr);
    const { rows } = await client.query(
      `select id, session_id, event_type, event_category, event_source, occurred_at, metadata, created_at, rejected
       from public.audience_events where session_id like 'past-session-%' order by id`,
    );
    const accepted = events.filter((_, index) => index % 8 !== 0);
    assert.deepEqual(
      rows.map((row) => ({
        ...row,
        occurred_at: row.occurred_at.toISOString(),
        created_at: row.created_at.toISOString(),
      })),
      accepted.map((event) => ({ ...event, created_at: event.occurred_at, rejected: false })),
    );
  });
});
