import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { applyArchive, gate, judgeInSpark, monthBefore, readInSpark, record, rowsOf } from "./archived.mjs";
import { useLog } from "./log.mjs";

const EVENTS = 400;

/** An event of history; every eighth does not say what it is about. @param {number} index */
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
  const log = useLog(({ client }) => applyArchive(client));
  const { folder } = log;

  it("has an archive that Spark reads, value for value", async () => {
    const month = await monthBefore(log.client, 1);
    await record(log.client, 1, 1500);
    const archive = join(folder, "archive");
    assert.equal(gate(log.url, "archive", archive, "--file-rows", "700").status, 0);
    const { types, rows } = readInSpark(join(archive, "*"));
    assert.deepEqual(rows, await rowsOf(log.client, month));
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
    const { status, stderr } = gate(log.url, "load", join(judged, "accepted"));
    assert.equal(status, 0, stderr);
    const { rows } = await log.client.query(
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
