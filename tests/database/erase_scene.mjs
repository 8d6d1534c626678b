/** A person on every path into the database, beside another one, with states, moves, rejections and figures. */
import { event, ingest, insert } from "./events.mjs";

export const ADA = "3f2b8c1e-5a4d-4f6b-9c7e-1d2a3b4c5d6e";
export const BOB = "77777777-2222-4222-8222-999999999999";
export const HASH = "b5fc85e55755f9e0d030a10ab4429b6b2944855f9a0d60077fe832becbc41d72";
export const SITE = "00000000-0000-4000-8000-000000000001";
export const OWN = "session-of-ada-alone";
export const SHARED = "session-on-a-kiosk";

/** Whatever of Ada must not be found again. */
export const CANARIES = [ADA, HASH, OWN, "canary"];

const at = (/** @type {number} */ minutes) => new Date(Date.now() - minutes * 60_000).toISOString();
const view = (/** @type {number} */ minutes, /** @type {import("./events.mjs").Event} */ members) =>
  event({ occurred_at: at(minutes), ...members });

/** Her events, as she sent them and may send them again. */
export const SENT = [
  ...Array.from({ length: 30 }, (_, place) =>
    view(100 + place, {
      user_id: ADA,
      session_id: OWN,
      utm_source: "letter",
      utm_medium: "mail",
      utm_campaign: "spring",
      utm_content: "canary-content",
      utm_term: "canary-term",
      metadata: { page_path: "/canary-page", duration_seconds: 5 + place, member_ref: "canary-ref" },
    })),
  view(200, { session_id: OWN, metadata: { page_path: "/before-she-signed-in/canary" } }),
  view(210, { user_id: ADA, session_id: SHARED, metadata: { page_path: "/kiosk", note: "canary" } }),
  view(220, {
    user_id: ADA,
    session_id: OWN,
    event_type: "email_subscribe",
    event_category: "subscription",
    metadata: { channel: "newsletter", consent_recorded: true, email_hash: HASH },
  }),
  view(225, {
    session_id: "session-of-a-reader",
    event_type: "email_subscribe",
    event_category: "subscription",
    metadata: { channel: "newsletter", consent_recorded: true, email_hash: HASH },
  }),
  // Refused, and quoted in its audit row.
  view(230, { user_id: ADA, session_id: OWN, event_type: "canary_type", metadata: { page_path: "/", note: "canary" } }),
];

const OTHERS = [
  ...Array.from(
    { length: 30 },
    (_, place) => view(100 + place, { user_id: BOB, session_id: "session-of-bob", metadata: { page_path: "/b" } }),
  ),
  view(300, { user_id: BOB, session_id: SHARED, metadata: { page_path: "/kiosk" } }),
  view(310, { session_id: "session-of-nobody", metadata: { page_path: "/n" } }),
  // Somebody else's, refused because it claims to be hers.
  view(320, {
    user_id: BOB,
    session_id: "session-of-bob",
    event_type: "no_such_type",
    metadata: { page_path: "/", of: ADA },
  }),
];

/** What the function would sign as judged: the others are refused. @param {import("./events.mjs").Event} sent */
export const isKnown = (sent) => !/_type$/.test(String(sent.event_type));

/** @param {import("pg").Client} client */
export async function scene(client) {
  await client.query(`
    update audience_gate.jobs set active = false;
    update audience_gate.analytics_settings set settle = '0';
    create table public.deals (id bigint generated always as identity primary key, stage text not null default 'new');
    insert into auth.users (id, email) values ('${ADA}', 'a@example.com'), ('${BOB}', 'b@example.com');
    select audience_gate.track_lifecycle('public.deals', 'stage');
    insert into public.audience_own_rules (id, event_type, schema, mode, reasons) values
      ('own.short', 'page_view', '{"properties": {"metadata": {"required": ["nothing_has_this"]}}}', 'observe', '{"en": "none"}');
    insert into public.audience_site_members (site_id, user_id, role) values ('${SITE}', '${ADA}', 'owner'), ('${SITE}', '${BOB}', 'viewer');
    select audience_gate.start_sealing()`);
  const isDirect = (/** @type {import("./events.mjs").Event} */ sent, /** @type {number} */ place) =>
    place % 2 === 0 || !isKnown(sent);
  await insert(client, [...SENT, ...OTHERS].filter(isDirect));
  await ingest(client, [...SENT, ...OTHERS].filter((sent, place) => !isDirect(sent, place)));
  await client.query("select audience_gate.derive_states()");
  // She places somebody else, and is placed; she moves a deal.
  await client.query(`
    select public.audience_set_state('${SITE}', '${BOB}', 'S2', notes => 'canary by ada', actor => 'user:${ADA}');
    select public.audience_set_state('${SITE}', '${ADA}', 'S2', notes => 'canary of ada');
    insert into public.deals default values;
    begin;
    select set_config('request.jwt.claims', '{"sub": "${ADA}"}', true);
    select public.lifecycle_move('public.deals', '1', 'won', 'canary move');
    commit;
    insert into audience_gate.job_runs (job, started_at, duration_ms, outcome, result)
    values ('derive_states', now(), 1, 'succeeded', '{"failed": [{"user_id": "${ADA}"}]}')`);
  await client.query("select audience_gate.seal_rows('{}')");
  await client.query("select audience_gate.refresh_analytics()");
}

/** Every relation that has rows, whatever schema it is in, with those that hold one of these texts. @param {import("pg").Client} client @param {string[]} texts */
export async function holding(client, texts) {
  const { rows } = await client.query(`
    select c.oid::regclass::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'm') and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast', 'auth')
    union all select 'pg_catalog.pg_statistic'`);
  const found = [];
  for (const { name } of rows) {
    const { rows: held } = await client.query(
      `select ${
        name === "pg_catalog.pg_statistic" ? "starelid::regclass::text || ' '" : "''"
      } || t::text as text from ${name} t where exists (select from unnest($1::text[]) c where position(c in t::text) > 0)`,
      [texts],
    );
    found.push(...held.map(({ text }) => `${name}: ${text}`));
  }
  return found;
}

/**
 * Every figure, of the days up to so many days ago.
 * @param {import("pg").Client} client @param {number} [ago] @param {number} [days]
 */
export async function figures(client, ago = 0, days = 8) {
  const end = `date_trunc('day', now()) - interval '${ago} days'`;
  const range = `'${SITE}', ${end} - interval '${days} days', ${end} + interval '1 day'`;
  /** @type {Record<string, unknown>} */
  const all = {};
  for (
    const name of [
      "engagement",
      "errors",
      "feature_adoption",
      "funnel",
      "state_dwell",
      "overview",
      "performance",
      "retention",
      "state_funnel",
      "state_trend",
      "data_quality",
    ]
  ) {
    const { rows } = await client.query(
      `select (to_jsonb(k) - 'covered_until')::text as row from public.kpi_${name}(${range}) k order by 1`,
    );
    all[name] = rows.map(({ row }) => row);
  }
  const { rows } = await client.query(
    `select current_state, count(*)::int from public.audience_site_state group by 1 order by 1`,
  );
  return { ...all, states: rows };
}
