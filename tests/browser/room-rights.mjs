// Who may do what the control room asks of a project: each call that a page of it makes, for each kind of caller.
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Owner of one of two sites; owner of both, who may change what sites share; owner of the other site alone; nobody's member. */
export const CALLERS = ["all", "owner", "analyst", "viewer", "other", "stranger", "anon"];
const OWNERS = "all owner";
const MEMBERS = "all owner analyst viewer";
const SIGNED_IN = "all owner analyst viewer other stranger";
const EVERYBODY = CALLERS.join(" ");

export const HERE = "00000000-0000-4000-8000-000000000001";
export const THERE = "00000000-0000-4000-8000-0000000000b2";
const SOMEBODY = "99999999-0000-4000-8000-000000000009";
const ROW = "aaaaaaaa-0000-4000-8000-000000000001";
const RANGE = { from_time: new Date(Date.now() - 2 * 86_400_000).toISOString(), to_time: new Date().toISOString() };
const LONG = { ...RANGE, from_time: new Date(Date.now() - 60 * 86_400_000).toISOString() };
/** The demo's table lets every member of any site read and move its records; row level security shows others none. */
const READERS = "all owner analyst viewer other";
const UNREADABLE = { stranger: "nothing", anon: "42704" };
const LIFE = { tracked: "public.demo_enquiries", stage_column: "stage" };

/**
 * What is asked, with which arguments, who may, and what all others are told: the code of the refusal, or `nothing`, where row level
 * security leaves them none of the rows. The embedded API says `SUP` for what a project says the database's own code for. `given` is
 * run before each caller, and makes what the call is about; `?` stands for its first value.
 *
 * @typedef {{ call: string, args?: object, where?: string, may: string, else?: string | Record<string, string>, given?: string }} Right
 */

/** @param {string} name @param {object} [args] @returns {Right} */
const figure = (name, args = {}) => ({ call: `rpc ${name}`, args: { site: HERE, ...RANGE, ...args }, may: MEMBERS });
/** @param {string} name @param {object} [args] @param {string} [may] @returns {Right} */
const asked = (name, args = {}, may = MEMBERS) => ({ call: `rpc ${name}`, args: { site: HERE, ...args }, may });
/** @param {string} name @param {string} may @param {string} [where] @param {string} [given] @returns {Right} */
const listed = (name, may, where = `site_id=eq.${HERE}`, given) => ({
  call: `select ${name}`,
  where,
  may,
  else: "nothing",
  given,
});

const AN_EVENT =
  `select id from public.audience_events where site_id = '${HERE}' and not rejected and user_id is not null limit 1`;
const AN_ALERT =
  `insert into public.audience_alerts (id, site_id, kind, threshold) values ('${ROW}', '${HERE}', 'contract_drift', 5) on conflict (id) do nothing`;
const A_WEBHOOK =
  `insert into public.audience_alert_destinations (id, site_id, name, form) values ('${ROW}', '${HERE}', 'told', 'json') on conflict (id) do nothing`;
const A_RULE =
  `insert into public.audience_own_rules (id, site_id, schema, mode, reasons) values ('own.asked', '${HERE}', '{}', 'off', '{"en": "of a test"}')
  on conflict do nothing`;
const A_FUNNEL =
  `insert into public.audience_funnels (site_id, id, name) values ('${HERE}', 'ours', 'Ours') on conflict do nothing`;
const A_STATE =
  `insert into public.audience_states (id, name, meaning, rank, min_score) values ('asked', 'Asked', 'of a test', 9, 900) on conflict do nothing`;
const A_MEMBER =
  `insert into public.audience_site_members (site_id, user_id, role) values ('${HERE}', '${SOMEBODY}', 'viewer') on conflict do nothing`;
const A_VIEW =
  `insert into public.audience_saved_views (id, site_id, name, words, made_by) values ('${ROW}', '${HERE}', 'asked', '{}', '${SOMEBODY}')
  on conflict do nothing`;
const A_LINK = `insert into public.audience_wall_links (id, site_id, name, digest, expires_at)
  values ('${ROW}', '${HERE}', 'hall', sha256(convert_to(repeat('5', 64), 'UTF8')), now() + interval '1 day') on conflict (id) do update set revoked_at = null`;
const A_MESSAGE =
  `insert into public.audience_alert_deliveries (site_id, destination_id, firing_id) values ('${HERE}', '${ROW}', null)`;
const byId = `id=eq.${ROW}`;

/** @type {Right[]} */
export const RIGHTS = [
  figure("kpi_overview"),
  figure("kpi_engagement"),
  figure("kpi_feature_adoption"),
  figure("kpi_funnel"),
  figure("kpi_retention"),
  figure("kpi_errors"),
  figure("kpi_performance"),
  figure("kpi_data_quality"),
  figure("kpi_state_funnel"),
  figure("kpi_state_dwell"),
  figure("kpi_state_trend"),
  figure("kpi_visits"),
  figure("kpi_visit_hours"),
  figure("kpi_pages"),
  figure("kpi_referrers"),
  figure("kpi_devices"),
  figure("kpi_campaigns"),
  asked("kpi_funnels"),
  asked("kpi_states"),
  figure("kpi_releases"),
  asked("kpi_live"),
  asked("kpi_freshness"),
  asked("audience_recent_events"),
  figure("audience_rejections", { rule: "privacy.raw_email" }),
  figure("audience_refusal_groups"),
  figure("audience_refused_events", { rule: "privacy.raw_email" }),
  figure("audience_event_list"),
  { ...asked("audience_event", { event: "?" }), given: AN_EVENT },
  { ...asked("audience_event_proof", { event: "?" }), given: AN_EVENT },
  { ...asked("audience_trail", { event: "?", whose: "person" }), given: AN_EVENT },
  asked("audience_history_proof"),
  asked("audience_site_registry"),
  asked("audience_push_topic"),
  asked("audience_alert_list"),
  asked("audience_own_rule_list"),
  asked("audience_job_list"),
  {
    ...asked("audience_registry_changes", { entity: "alert" }, OWNERS),
    else: "nothing",
    given: `${AN_ALERT}; update public.audience_alerts set threshold = threshold + 1 where id = '${ROW}'`,
  },
  asked("audience_try_own_rule", { schema: {} }, OWNERS),
  { ...figure("audience_replay_refusals", { rule: "privacy.raw_email" }), may: OWNERS },
  {
    ...asked("audience_state_revert", { subject: "?", notes: "of a test" }, OWNERS),
    given:
      `select user_id from public.audience_state_events where site_id = '${HERE}' group by 1 order by count(*) desc limit 1`,
  },
  {
    ...asked("audience_add_alert_destination", { name: "ours", form: "json", url: "https://example.com/hook" }, OWNERS),
    given: "delete from public.audience_alert_destinations where name = 'ours'",
  },
  { ...asked("audience_test_alerts", { destination: ROW }, OWNERS), given: A_WEBHOOK },
  asked("audience_save_funnel", {
    ...{ funnel: "ours", name: "Ours", window_seconds: 60, steps: [{ name: "Read", event_type: "content_view" }] },
  }, OWNERS),
  { ...asked("audience_remove_funnel", { funnel: "ours" }, OWNERS), else: "SUP", given: A_FUNNEL },
  asked("audience_add_wall_link", { name: "lobby", days: 1 }, OWNERS),
  { ...asked("audience_end_wall_link", { link: ROW }, OWNERS), given: A_LINK },
  { call: "rpc audience_wall_figures", args: { secret: "5".repeat(64) }, may: EVERYBODY, given: A_LINK },
  { call: "rpc audience_my_sites", may: SIGNED_IN },
  { call: "rpc audience_may_edit_registry", may: SIGNED_IN },
  { call: "rpc audience_check_payload_schema", args: { schema: {} }, may: SIGNED_IN },
  { call: "rpc audience_switch_job", args: { name: "seal_rows", active: false }, may: "all" },
  {
    call: "rpc audience_undo_registry_change",
    args: { change: "?" },
    may: "all",
    else: { owner: "PT409", other: "PT409", analyst: "SUP", viewer: "SUP", stranger: "SUP" },
    given: `update public.audience_event_types set active = not active where id = 'tool_used';
      select max(id) from public.audience_registry_events where entity = 'event_type'`,
  },
  { call: "rpc lifecycle_list", may: SIGNED_IN },
  { call: "rpc lifecycle_funnel", args: { ...LIFE, ...LONG }, may: READERS, else: UNREADABLE },
  { call: "rpc lifecycle_dwell", args: { ...LIFE, ...LONG }, may: READERS, else: UNREADABLE },
  { call: "rpc lifecycle_actors", args: { ...LIFE, ...LONG }, may: READERS, else: UNREADABLE },
  { call: "rpc lifecycle_latest", args: { ...LIFE, ...LONG, row_limit: 5 }, may: READERS, else: UNREADABLE },
  { call: "rpc lifecycle_timeline", args: { ...LIFE, record_id: "1" }, may: READERS, else: UNREADABLE },
  {
    call: "rpc lifecycle_revert",
    args: { ...LIFE, record_id: "?", notes: "of a test" },
    may: READERS,
    else: { ...UNREADABLE, stranger: "SUP" },
    given: "update public.demo_enquiries set stage = 'contacted' where id = 4 and stage <> 'contacted' returning 4",
  },
  {
    call: "post ingest/alerts",
    may: OWNERS,
    else: { anon: "bad_credentials" },
    given:
      `${A_WEBHOOK}; insert into audience_gate.alert_addresses values ('${ROW}', 'http://127.0.0.1:9/') on conflict do nothing; ${A_MESSAGE}`,
  },

  { ...listed("audience_event_types", SIGNED_IN), where: "id=eq.page_view" },
  { ...listed("audience_states", SIGNED_IN), where: "id=eq.S3" },
  { ...listed("audience_sites", MEMBERS), where: `id=eq.${HERE}` },
  listed("audience_site_members", OWNERS, `user_id=eq.${SOMEBODY}`, A_MEMBER),
  listed("audience_saved_views", MEMBERS, byId, A_VIEW),
  { ...listed("audience_wall_links", OWNERS), where: `select=id&${byId}`, given: A_LINK },
  listed("audience_alert_destinations", MEMBERS, byId, A_WEBHOOK),
  listed(
    "audience_alert_firings",
    MEMBERS,
    `alert_id=eq.${ROW}`,
    `insert into public.audience_alert_firings (alert_id, site_id, kind, state, value, threshold) values ('${ROW}', '${HERE}', 'failed_jobs', 'fired', 2, 0)`,
  ),
  listed(
    "audience_alert_deliveries",
    MEMBERS,
    `destination_id=eq.${ROW}`,
    `${A_WEBHOOK}; ${A_MESSAGE}`,
  ),

  {
    call: "insert audience_event_types",
    args: { id: "asked_for", category: "engagement", tier: "consumer", description: "Of a test." },
    may: "all",
    given: "delete from public.audience_event_types where id = 'asked_for'",
  },
  {
    call: "insert audience_states",
    args: { id: "asked", name: "Asked", meaning: "of a test", rank: 9, min_score: 900 },
    may: "all",
    given: "delete from public.audience_states where id = 'asked'",
  },
  {
    call: "insert audience_site_members",
    args: { site_id: HERE, user_id: SOMEBODY, role: "viewer" },
    may: OWNERS,
    given: `delete from public.audience_site_members where user_id = '${SOMEBODY}'`,
  },
  {
    call: "insert audience_alerts",
    args: { site_id: HERE, kind: "failed_jobs", threshold: 1, minutes: 60 },
    may: OWNERS,
  },
  {
    call: "insert audience_own_rules",
    args: { id: "own.added", site_id: HERE, schema: {}, mode: "off", reasons: { en: "of a test" } },
    may: OWNERS,
    given: "delete from public.audience_own_rules where id = 'own.added'",
  },
  {
    call: "insert audience_saved_views",
    args: { site_id: HERE, name: "a view", words: {} },
    may: MEMBERS,
    given: "delete from public.audience_saved_views where name = 'a view'",
  },
  {
    call: "update audience_event_types",
    args: { description: "Of a test." },
    where: "id=eq.tool_used",
    may: "all",
    else: "nothing",
  },
  { call: "update audience_states", args: { name: "Member" }, where: "id=eq.S3", may: "all", else: "nothing" },
  { call: "update audience_sites", args: { name: "Ours" }, where: `id=eq.${HERE}`, may: OWNERS, else: "nothing" },
  {
    call: "update audience_site_members",
    args: { role: "analyst" },
    where: `user_id=eq.${SOMEBODY}`,
    may: OWNERS,
    else: "nothing",
    given: A_MEMBER,
  },
  {
    call: "update audience_alerts",
    args: { active: false },
    where: byId,
    may: OWNERS,
    else: "nothing",
    given: AN_ALERT,
  },
  {
    call: "update audience_alert_destinations",
    args: { active: false },
    where: byId,
    may: OWNERS,
    else: "nothing",
    given: A_WEBHOOK,
  },
  {
    call: "update audience_own_rules",
    args: { mode: "off" },
    where: "id=eq.own.asked",
    may: OWNERS,
    else: "nothing",
    given: A_RULE,
  },
  {
    call: "delete audience_site_members",
    where: `user_id=eq.${SOMEBODY}`,
    may: OWNERS,
    else: "nothing",
    given: A_MEMBER,
  },
  { call: "delete audience_states", where: "id=eq.asked", may: "all", else: "nothing", given: A_STATE },
  { call: "delete audience_alerts", where: byId, may: OWNERS, else: "nothing", given: AN_ALERT },
  { call: "delete audience_alert_destinations", where: byId, may: OWNERS, else: "nothing", given: A_WEBHOOK },
  { call: "delete audience_saved_views", where: byId, may: OWNERS, else: "nothing", given: A_VIEW },
];

/** The calls that the sources of the dashboard make. @returns {string[]} */
export function calls() {
  const folder = fileURLToPath(new URL("../../web/dashboard/", import.meta.url));
  const found = new Set();
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    if (!name.endsWith(".ts")) continue;
    let text = readFileSync(folder + name, "utf8");
    for (const [, short, table] of text.matchAll(/const (\w+) = \(\) => client\.from\("(\w+)"\);/g)) {
      text = text.replaceAll(`${short}()`, `client.from("${table}")`);
    }
    for (const [, called] of text.matchAll(/\b(?:read\(\s*client,|call\(|ask\(|rpc\()\s*"(\w+)"/g)) {
      found.add(`rpc ${called}`);
    }
    for (const [, table, verb] of text.matchAll(/\.from\("(\w+)"\)\s*\.(\w+)\(/g)) found.add(`${verb} ${table}`);
    for (const [, path] of text.matchAll(/\.post\("([^"]+)"/g)) found.add(`post ${path}`);
  }
  return [...found].sort();
}
