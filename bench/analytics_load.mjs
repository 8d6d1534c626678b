/** What arrives at the site that bench/analytics_site.mjs builds, what folds it, and what that takes of a processor. */
import { createHash, randomUUID } from "node:crypto";
import { newSession } from "../tests/database/events.mjs";
import { asClient } from "../tests/database/postgres.mjs";
import { SITE } from "./analytics_site.mjs";

const TYPES = ["page_view", "content_view", "tool_used", "content_saved", "video_play"];

/** The id of a signed-in user, as the site names them. @param {number} person */
function userId(person) {
  const digest = createHash("md5").update(`user ${person}`).digest("hex");
  return digest.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

/**
 * New visits of five events each, by the people who visit the site anyway: two in five are signed in, and come back.
 * @param {number} site how many events it was built with @param {number} size how many arrive
 */
export function arrivals(site, size) {
  const visits = Array.from({ length: Math.ceil(size / 5) }, () => {
    const person = Math.floor(site / 20 * Math.random() ** 1.6);
    return { session_id: newSession(), ...(person % 5 < 2 ? { user_id: userId(person) } : {}) };
  });
  return Array.from({ length: size }, (_, index) => ({
    id: randomUUID(),
    site_id: SITE,
    ...visits[Math.floor(index / 5)],
    event_type: TYPES[index % TYPES.length],
    event_category: "engagement",
    event_source: "web",
    metadata: { content_id: "guide-1", tool_id: "dose", page_path: "/guides", duration_seconds: 40 },
  }));
}

/** Milliseconds of processor time that a server process has used, this connection's by default. @param {import("pg").Client} client @param {number | "self"} [pid] */
export async function processor(client, pid = "self") {
  const { rows: [{ spent }] } = await client.query(
    "select split_part(pg_read_file('/proc/' || $1::text || '/schedstat'), ' ', 1)::float8 / 1e6 as spent",
    [pid],
  );
  return spent;
}

/** Folds what is new, on a connection of its own as a job has it: how many milliseconds that took. @param {string} url a superuser's */
export function fold(url) {
  return asClient(url, async (client) => {
    const before = await processor(client);
    const { rows: [{ result }] } = await client.query("select audience_gate.fold_analytics() as result");
    if (result.outcome !== "ok") throw new Error(`fold: ${JSON.stringify(result)}`);
    return { wall: Number(result.duration_ms), cpu: await processor(client) - before };
  });
}
