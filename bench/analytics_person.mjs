/** Somebody who did more than anybody: what a fold costs in which they come back. */
import { ingest } from "../tests/database/events.mjs";
import { arrivals, fold } from "./analytics_load.mjs";
import { SITE } from "./analytics_site.mjs";

/** How many events they have. */
export const DID = 200_000;
const WHO = "00000000-0000-4000-8000-0000000000a1";
const FOLDS = 5;

/**
 * Gives one signed-in user that many events over 90 days, in visits of five and a half, and folds 1,000 new events at a time,
 * five of them theirs.
 * @param {string} url a superuser's @param {import("pg").Client} client likewise @param {import("pg").Client} sender
 * @param {number} site how many events it was built with
 */
export async function foldsOfOne(url, client, sender, site) {
  await client.query("set session_replication_role = replica");
  await client.query(
    `insert into public.audience_events
       (created_at, user_id, session_id, event_type, event_category, event_source, metadata, site_id, contract)
     select e.at, $2, 'most-' || (e.n / 5.5)::int, t.id, t.category, 'web',
       jsonb_build_object('page_path', '/guides/' || e.n % 200, 'duration_seconds', 20), $1, audience_gate.contract_fingerprint()
     from (
       select n, now() - interval '1 hour' - interval '90 days' * (1 - n::float8 / $3) as at, (array[
         'page_view', 'page_view', 'page_view', 'content_view', 'content_view', 'tool_used', 'site_search', 'video_play', 'feature_used',
         'email_subscribe', 'protocol_logged', 'plan_started'])[1 + floor(random() * 12)::int] as type
       from generate_series(1, $3::int) n
     ) e
     join public.audience_event_types t on t.id = e.type
     order by e.at`,
    [SITE, WHO, DID],
  );
  await client.query("set session_replication_role = origin");
  await client.query("select audience_gate.rebuild_figures()");
  await fold(url);
  await client.query("vacuum (analyze)");
  const folds = [];
  for (let round = 0; round < FOLDS; round++) {
    const events = arrivals(site, 1000);
    for (const event of events.slice(0, 5)) event.user_id = WHO;
    for (let sent = 0; sent < events.length; sent += 200) await ingest(sender, events.slice(sent, sent + 200));
    folds.push(await fold(url));
  }
  return folds;
}
