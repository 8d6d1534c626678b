/** The numbers of a site, as the database gives them: one function here for each `kpi_*` function there. */
import type { Client } from "./client.ts";
import type { Answer } from "./rest.ts";
import { anything, type Decoder, flag, list, nullable, number, type Row, row, type Shape, text } from "./decode.ts";

export type Grain = "total" | "day" | "week" | "month";
export interface Range {
  readonly from: Date;
  readonly to: Date;
  readonly zone: string;
}
/** Which visits a figure is of, by the keys of the database; KPI.md says what each means. */
export type Narrowed = Readonly<Record<string, string | true>>;

const overview = {
  events: number,
  people: number,
  new_people: number,
  returning_people: number,
  sessions: number,
  engaged_seconds: number,
  score: number,
  rejected: nullable(number),
  rejection_rate: nullable(number),
  errors: number,
  last_event_at: nullable(text),
  covered_until: nullable(text),
};
const engagement = {
  period: text,
  tier: text,
  events: number,
  people: number,
  events_per_person: nullable(number),
  engaged_seconds: number,
  score: number,
};
const adoption = {
  event_type: text,
  category: text,
  tier: text,
  events: number,
  people: number,
  active_people: number,
  adoption_rate: nullable(number),
  new_people: number,
  first_day: nullable(text),
  last_day: nullable(text),
};
const funnels = { funnel: text, name: text, position: number, step: text, event_type: text };
const funnel = {
  position: number,
  step: text,
  event_type: text,
  people: number,
  rate_from_start: nullable(number),
  rate_from_previous: nullable(number),
  dropped: number,
  average_seconds: nullable(number),
};
const states = { state: text, name: text, meaning: text };
const retention = { cohort: text, people: number, retained: list(number), rates: list(nullable(number)) };
/** A violated rule and its place, as a text for reading; rows of before 0.2.0 name the rule alone. */
export const violation: Decoder<{ readonly rule_id: string; readonly path: string }> = (value, where) =>
  typeof value === "string" ? { rule_id: value, path: "" } : row({ rule_id: text, path: text })(value, where);
const errors = { period: text, event_type: text, code: text, events: number, per_thousand: nullable(number) };
const performance = {
  period: text,
  measure: text,
  unit: text,
  samples: number,
  mean: number,
  p50: number,
  p75: number,
  p95: number,
  p99: number,
  max: number,
};
const quality = {
  period: text,
  rule_id: nullable(text),
  accepted: number,
  rejected: number,
  received: number,
  rate: nullable(number),
  share: nullable(number),
  unjudged: number,
  refused_requests: number,
};
const stateFlow = {
  from_state: nullable(text),
  to_state: text,
  transitions: number,
  average_dwell_seconds: nullable(number),
};
const stateDwell = { state: text, stays: number, mean_seconds: number, p50_seconds: number, p90_seconds: number };
const stateTrend = { period: text, state: text, entered: number, left_state: number, people_at_end: number };
const visited = {
  visits: number,
  people: number,
  bounces: number,
  bounce_rate: nullable(number),
  average_seconds: nullable(number),
  events_per_visit: nullable(number),
};
const visits = { period: text, ...visited };
const visitHours = { hour: text, ...visited };
const group = {
  visits: number,
  people: number,
  bounces: number,
  bounce_rate: nullable(number),
  average_seconds: nullable(number),
};
const page = { page: nullable(text), ...group };
const referrer = { referrer: nullable(text), ...group };
const device = { device: nullable(text), ...group };
const campaign = {
  source: nullable(text),
  medium: nullable(text),
  campaign: nullable(text),
  content: nullable(text),
  term: nullable(text),
  visits: number,
  people: number,
  conversions: number,
  conversion_rate: nullable(number),
};
const live = { minute: text, events: number, people: number, rejected: number };
const freshness = {
  view_name: text,
  refreshed_at: nullable(text),
  covered_until: nullable(text),
  age_seconds: nullable(number),
  duration_ms: nullable(number),
  row_count: nullable(number),
  outcome: text,
  tail_events: nullable(number),
  schedule: nullable(text),
};
const release = { kind: text, sender: nullable(text), release: text, first_seen: text, day: text };
const sites = { id: text, name: text, role: text };
const recent = {
  id: text,
  recorded_at: text,
  event_type: text,
  event_category: text,
  tier: nullable(text),
  event_source: text,
  rejected: flag,
  rule_id: nullable(text),
};
const refusal = {
  id: text,
  recorded_at: text,
  rule_id: text,
  reason: nullable(text),
  violations: list(violation),
  snapshot: anything,
  source_system: nullable(text),
  payload_bytes: nullable(number),
};

export type Overview = Row<typeof overview>;
export type Engagement = Row<typeof engagement>;
export type Adoption = Row<typeof adoption>;
export type FunnelStep = Row<typeof funnel>;
export type FunnelChoice = Row<typeof funnels>;
export type Cohort = Row<typeof retention>;
export type ErrorCount = Row<typeof errors>;
export type Latency = Row<typeof performance>;
export type Quality = Row<typeof quality>;
export type StateFlow = Row<typeof stateFlow>;
export type State = Row<typeof states>;
export type StateDwell = Row<typeof stateDwell>;
export type StateTrend = Row<typeof stateTrend>;
export type Visits = Row<typeof visits>;
/** Visits that have something in common. */
export type VisitGroup = Row<typeof group>;
export type Campaign = Row<typeof campaign>;
export type Minute = Row<typeof live>;
export type Freshness = Row<typeof freshness>;
/** A version of something, and when it was first seen. */
export type Release = Row<typeof release>;
export type Site = Row<typeof sites>;
export type RecentEvent = Row<typeof recent>;
export type Refusal = Row<typeof refusal>;

/** A refusal or failure of the server, with the SQLSTATE it gave. */
export class ReadError extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

export type Kpi = ReturnType<typeof kpi>;

export function kpi(client: Client, site: string) {
  // Panels that ask the same thing at the same time share one answer.
  const asking = new Map<string, Promise<unknown>>();
  return {
    overview: async (range: Range, narrowed?: Narrowed) =>
      (await call("kpi_overview", span(range, narrowed), overview))[0],
    engagement: (range: Range, grain: Grain, narrowed?: Narrowed) =>
      call("kpi_engagement", { ...span(range, narrowed), grain }, engagement),
    adoption: (range: Range, narrowed?: Narrowed) => call("kpi_feature_adoption", span(range, narrowed), adoption),
    funnels: () => call("kpi_funnels", {}, funnels),
    funnel: (range: Range, name: string) => call("kpi_funnel", { ...span(range), funnel: name }, funnel),
    retention: (range: Range, grain: "day" | "week") => call("kpi_retention", { ...span(range), grain }, retention),
    errors: (range: Range, grain: Grain) => call("kpi_errors", { ...span(range), grain }, errors),
    performance: (range: Range, grain: Grain) => call("kpi_performance", { ...span(range), grain }, performance),
    quality: (range: Range, grain: Grain) => call("kpi_data_quality", { ...span(range), grain }, quality),
    states: () => call("kpi_states", {}, states),
    stateFlow: (range: Range) => call("kpi_state_funnel", span(range), stateFlow),
    stateDwell: (range: Range) => call("kpi_state_dwell", span(range), stateDwell),
    stateTrend: (range: Range, grain: Grain) => call("kpi_state_trend", { ...span(range), grain }, stateTrend),
    visits: (range: Range, grain: Grain, narrowed?: Narrowed) =>
      call("kpi_visits", { ...span(range, narrowed), grain }, visits),
    /** By the hour, each named by the moment at which it begins. */
    visitHours: async (range: Range, narrowed?: Narrowed): Promise<readonly Visits[]> =>
      (await call("kpi_visit_hours", span(range, narrowed), visitHours)).map(({ hour, ...row }) => ({
        period: new Date(hour).toISOString(),
        ...row,
      })),
    pages: (range: Range, by: "entry" | "exit", narrowed?: Narrowed) =>
      call("kpi_pages", { ...span(range, narrowed), by }, page),
    referrers: (range: Range, narrowed?: Narrowed) => call("kpi_referrers", span(range, narrowed), referrer),
    devices: (range: Range, narrowed?: Narrowed) => call("kpi_devices", span(range, narrowed), device),
    campaigns: (range: Range, by: "first" | "last", name: string, narrowed?: Narrowed) =>
      call("kpi_campaigns", { ...span(range, narrowed), by, funnel: name }, campaign),
    releases: (range: Range) => call("kpi_releases", span(range), release),
    live: () => call("kpi_live", {}, live),
    freshness: () => call("kpi_freshness", {}, freshness),
    recent: (count: number) => call("audience_recent_events", { row_limit: count }, recent),
    refusals: ({ from, to }: Range, rule: string, count: number) =>
      call(
        "audience_rejections",
        { from_time: from.toISOString(), to_time: to.toISOString(), rule, row_limit: count },
        refusal,
      ),
  };

  async function call<S extends Shape>(name: string, args: object, shape: S): Promise<readonly Row<S>[]> {
    const key = `${name} ${JSON.stringify(args)}`;
    const data = asking.get(key) ?? read(client, name, { site, ...args }).finally(() => asking.delete(key));
    asking.set(key, data);
    return rows(await data, name, shape);
  }
}

export async function mySites(client: Client): Promise<readonly Site[]> {
  return rows(await read(client, "audience_my_sites", {}), "audience_my_sites", sites);
}

/** Asks a function of the database. */
export async function read(client: Client, name: string, args: object): Promise<unknown> {
  const { data, error }: Answer = await client.rpc(name, args);
  if (error) throw new ReadError(error.code, error.message);
  return data;
}

/** Throws what the database said of a change. */
export function written({ error }: Pick<Answer, "error">): void {
  if (error) throw new ReadError(error.code, error.message);
}

/** What a function answered, checked. */
export function rows<S extends Shape>(data: unknown, name: string, shape: S): readonly Row<S>[] {
  return list(row(shape))(data, name);
}

function span(range: Range, narrowed: Narrowed = {}): object {
  return {
    from_time: range.from.toISOString(),
    to_time: range.to.toISOString(),
    time_zone: range.zone,
    ...(Object.keys(narrowed).length > 0 && { narrowed }),
  };
}
