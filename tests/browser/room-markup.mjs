// Markup in every field that somebody can store and the control room shows, each with a number of its own.

/** Texts by which a page would give itself away, and a word that is wider than a phone. */
const LONG = 'javascript:ran(0) {{ran(0)}} ${ran(0)} \u202egnp.exe\u202c <a href="javascript:ran(0)">a</a>' +
  "W".repeat(120);
/** What was stored, by its number. @type {string[]} */
export const PLANTED = [];

/** A text that runs if it is taken for markup. @param {string} what the field @param {number} [room] how long the field may be */
function text(what, room = 1000) {
  const n = PLANTED.push(what);
  const short = `=1<img src=x onerror=ran(${n})>`;
  const whole = `${short}"'><svg onload=ran(${n})></textarea></script><script>ran(${n})</script>${LONG}`;
  return whole.length <= room ? whole : short;
}

const SITE = "00000000-0000-4000-8000-000000000001";
export const EVENT = "bbbbbbbb-0000-4000-8000-000000000001";
export const REFUSED = "bbbbbbbb-0000-4000-8000-000000000002";
const PERSON = "99999999-0000-4000-8000-000000000077";
const ROW = "bbbbbbbb-0000-4000-8000-000000000003";
export const TYPE = text("the name of a type", 64);
export const RULE = text("the rule of a refusal");
const PAGE = text("a page");
const STATE = text("the id of a state", 64);
const MOVED_BY = text("the rule that moved somebody", 64);
const STAGE = text("a stage of a tracked table");
const SOURCE = text("a sender", 64);

/** What is run in the database, each with its values. @type {[statement: string, ...values: unknown[]][]} */
export const PLANTING = [
  [
    "insert into public.audience_event_types (id, category, tier, description, payload_schema) values ($1, 'engagement', 'consumer', $2, $3)",
    TYPE,
    text("what a type is"),
    JSON.stringify({ properties: { [text("a property of a schema")]: { enum: [text("a value of a schema")] } } }),
  ],
  ["set role audience_gate_store"],
  [
    `insert into public.audience_events (id, site_id, user_id, session_id, event_type, event_category, event_source, utm_source, utm_medium,
       utm_campaign, utm_content, utm_term, metadata, contract)
     select r.id, $1, $2, $3, r.event_type, r.category, $4, $5, $6, $7, $8, $9, r.metadata, audience_gate.contract_fingerprint()
     from jsonb_to_recordset($10) r (id uuid, event_type text, category text, metadata jsonb)`,
    SITE,
    PERSON,
    text("a session"),
    SOURCE,
    ...["source", "medium", "campaign", "content", "term"].map((name) => text(`the ${name} of a campaign`)),
    JSON.stringify([
      {
        id: EVENT,
        event_type: TYPE,
        category: "engagement",
        metadata: {
          page_path: PAGE,
          referrer_kind: text("a referrer"),
          device_class: text("a device"),
          tracker: text("a tracker"),
          [text("a key of an event")]: { deep: [text("a value of an event")] },
        },
      },
      {
        id: crypto.randomUUID(),
        event_type: "error_occurred",
        category: "system",
        metadata: { error_code: text("the code of an error") },
      },
      {
        id: crypto.randomUUID(),
        event_type: "release_deployed",
        category: "system",
        metadata: { release_id: text("a release", 100) },
      },
    ]),
  ],
  [
    `insert into public.audience_events (id, site_id, session_id, event_type, event_category, event_source, metadata, rejected, contract)
     values ($1, $2, 'refused', 'event_validation_fail', 'system', 'web', $3, true, audience_gate.contract_fingerprint())`,
    REFUSED,
    SITE,
    JSON.stringify({
      validation_rule_id: RULE,
      rejection_reason: text("the reason of a refusal"),
      source_system: text("the system that refused"),
      violations: [
        { rule_id: RULE, path: text("the place of a refusal") },
        { rule_id: text("another rule that was broken"), path: "" },
      ],
      contract: text("the contract of a refusal"),
      payload_bytes: 9,
      original_payload_snapshot: {
        event_source: text("the sender of what was refused", 100),
        metadata: { tracker: text("the tracker of what was refused", 100) },
        [text("a key of what was refused")]: text("a value of what was refused"),
      },
    }),
  ],
  ["reset role"],
  [
    "insert into public.audience_states (id, name, meaning, rank, min_score) values ($1, $2, $3, 90, 9000)",
    STATE,
    text("the name of a state", 128),
    text("what a state means"),
  ],
  ["insert into public.audience_rules (id, kind, description) values ($1, 'manual', 'of a test')", MOVED_BY],
  ["set role audience_gate_owner"],
  [
    `insert into public.audience_state_events (site_id, user_id, from_state, to_state, changed_by, rule_id, notes)
     values ($1, $2, 'S0', $3, $4, $5, $6)`,
    SITE,
    PERSON,
    STATE,
    `system:${text("who moved somebody")}`,
    MOVED_BY,
    text("why somebody was moved"),
  ],
  ["reset role"],
  [
    `insert into public.audience_own_rules (id, site_id, event_type, schema, mode, reasons) values ('own.marked', $1, $2, $3, 'off', $4)`,
    SITE,
    TYPE,
    JSON.stringify({ properties: { [text("a property of a rule")]: { type: "string" } } }),
    JSON.stringify({ en: text("the reason of a rule", 512) }),
  ],
  [
    `insert into public.audience_observations (rule_id, site_id, event_source, event_type, minute, events, sample)
     values ('own.marked', $1, $2, $3, date_trunc('minute', now()), 3, $4)`,
    SITE,
    text("the sender of what a rule counted", 64),
    TYPE,
    JSON.stringify({ event_type: TYPE, metadata: { page_path: text("a sample of what a rule counted") } }),
  ],
  ["update public.audience_sites set name = $2 where id = $1", SITE, text("the name of a site", 128)],
  ["insert into public.audience_funnels (site_id, id, name) values ($1, 'a_marked', $2)", SITE, text("a funnel", 128)],
  [
    "insert into public.audience_funnel_steps (site_id, funnel_id, position, name, event_type) values ($1, 'a_marked', 1, $2, $3)",
    SITE,
    text("a step of a funnel", 128),
    TYPE,
  ],
  [
    "insert into public.audience_alerts (id, site_id, kind, source, threshold) values ($1, $2, 'silence', $3, 0)",
    ROW,
    SITE,
    text("the sender of an alert", 64),
  ],
  [
    `insert into public.audience_alert_firings (alert_id, site_id, kind, source, state, value, threshold)
     values ($1, $2, 'silence', $3, 'fired', 2, 0)`,
    ROW,
    SITE,
    text("the sender of a firing"),
  ],
  [
    "insert into public.audience_alert_destinations (id, site_id, name, form) values ($1, $2, $3, 'json')",
    ROW,
    SITE,
    text("a webhook", 64),
  ],
  ["insert into public.audience_alert_deliveries (site_id, destination_id) values ($1, $2)", SITE, ROW],
  [
    "insert into public.audience_saved_views (site_id, name, words) values ($1, $2, $3)",
    SITE,
    text("a saved view", 64),
    JSON.stringify({ view: "javascript:ran(0)", days: text("a word of a saved view") }),
  ],
  [
    `insert into public.audience_wall_links (site_id, name, digest, expires_at)
     values ($1, $2, sha256(convert_to(repeat('5', 64), 'UTF8')), now() + interval '1 day')`,
    SITE,
    text("the link of a screen", 64),
  ],
  ["update public.demo_enquiries set stage = $1 where id = 5", STAGE],
  ["set session_replication_role = replica"],
  [
    "update public.demo_enquiry_events set actor = $2, notes = $3 where enquiry_id = 5 and to_stage = $1",
    STAGE,
    `system:${text("who moved a record")}`,
    text("why a record was moved"),
  ],
  ["update audience_gate.jobs set description = $1 where name = 'seal_rows'", text("what a job does")],
  ["set session_replication_role = origin"],
];

/** The pages, and what is unfolded or chosen on some of them. @type {string[]} */
export const PAGES = [
  "",
  "days=1",
  "view=explore",
  `view=explore&page=${encodeURIComponent(PAGE)}&type=${encodeURIComponent(TYPE)}&source=${encodeURIComponent(SOURCE)}`,
  `view=explore&event=${EVENT}`,
  `view=explore&event=${EVENT}&of=person`,
  `view=explore&event=${REFUSED}`,
  ...["rule", "sender", "place", "contract"].map((by) => `view=refusals&by=${by}`),
  `view=refusals&rule=${encodeURIComponent(RULE)}`,
  "view=rules",
  "view=rules&rule=own.marked",
  "view=lifecycles&days=84&record=5",
  "view=alerts",
  "view=registry",
  `view=registry&id=${encodeURIComponent(TYPE)}`,
  ...["states", "funnels", "site", "jobs", "wall", "changes"].map((part) => `view=registry&part=${part}`),
];
