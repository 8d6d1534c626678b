/** What members can look into and owners can act on: one function here for each function of the database. */
import type { Client } from "./client.ts";
import { anything, flag, list, nullable, number, object, type Row, row, text } from "./decode.ts";
import { type Range, read, rows, violation } from "./kpi.ts";

const refusalGroup = {
  rule_id: text,
  sender: text,
  tracker: text,
  place: text,
  contract: text,
  events: number,
  replayed: number,
  first_at: text,
  last_at: text,
  trend: list(number),
};
const refusedEvent = {
  id: text,
  recorded_at: text,
  rule_id: text,
  sender: text,
  tracker: text,
  place: text,
  contract: text,
  reason: nullable(text),
  violations: list(violation),
  snapshot: anything,
  payload_bytes: nullable(number),
  replayed_as: nullable(text),
  not_replayable: nullable(text),
};
const replay = row({
  examined: number,
  accepted: number,
  rejected: number,
  not_replayable: anything,
  dry_run: flag,
  next: nullable(text),
  results: list(row({ audit_id: text, status: text, why: nullable(text), violations: nullable(list(violation)) })),
});

const listedEvent = {
  id: text,
  recorded_at: text,
  occurred_at: nullable(text),
  event_type: text,
  tier: nullable(text),
  event_source: text,
  page: nullable(text),
  campaign: nullable(text),
  signed_in: flag,
  rejected: flag,
  rule_id: nullable(text),
};
const wholeEvent = row({
  id: text,
  created_at: text,
  occurred_at: nullable(text),
  user_id: nullable(text),
  session_id: text,
  event_type: text,
  event_category: text,
  event_source: text,
  rejected: flag,
  contract: nullable(text),
  utm_source: nullable(text),
  utm_medium: nullable(text),
  utm_campaign: nullable(text),
  utm_content: nullable(text),
  utm_term: nullable(text),
  metadata: object,
  person_known: flag,
  replayed_as: nullable(text),
  replay_of: nullable(text),
});
const proof = row({ entry: text, commitment: text, leaf_index: number, path: list(text), checkpoint: text });
const step = {
  kind: text,
  id: text,
  happened_at: text,
  what: text,
  tier: nullable(text),
  page: nullable(text),
  event_source: nullable(text),
  rule_id: nullable(text),
  from_state: nullable(text),
  changed_by: nullable(text),
  notes: nullable(text),
  event_id: nullable(text),
  subject: nullable(text),
};

const historyProof = {
  proven_since: nullable(text),
  proven_rows: nullable(number),
  signed_at: nullable(text),
  sealed_rows: nullable(number),
  sealing: flag,
};

export type HistoryProof = Row<typeof historyProof>;
export type ListedEvent = Row<typeof listedEvent>;
export type WholeEvent = ReturnType<typeof wholeEvent>;
export type Step = Row<typeof step>;
export type RefusalGroup = Row<typeof refusalGroup>;
export type RefusedEvent = Row<typeof refusedEvent>;
export type Replay = ReturnType<typeof replay>;

/** By what refusals are told apart; what is not named can be anything. */
export interface RefusalFilter {
  readonly sender?: string;
  readonly tracker?: string;
  readonly place?: string;
  readonly contract?: string;
}
/** Which events a list has; null: any. */
export interface EventFilter {
  readonly tier: string | null;
  readonly event_type: string | null;
  readonly campaign: string | null;
  readonly page: string | null;
  readonly source: string | null;
  readonly rejected: boolean | null;
}
export type Room = ReturnType<typeof room>;

export function room(client: Client, site: string) {
  return {
    registry: async () => object(await ask("audience_site_registry", {}), "audience_site_registry"),
    refusalGroups: async (range: Range) =>
      rows(await ask("audience_refusal_groups", span(range)), "audience_refusal_groups", refusalGroup),
    refusedEvents: async (range: Range, rule: string, filter: RefusalFilter, row_limit: number) =>
      rows(
        await ask("audience_refused_events", { ...span(range), rule, ...filter, row_limit }),
        "audience_refused_events",
        refusedEvent,
      ),
    replay: async (range: Range, rule: string, dry_run: boolean, after: string | null) =>
      replay(
        await ask("audience_replay_refusals", { ...span(range), rule, dry_run, after }),
        "audience_replay_refusals",
      ),
    events: async (range: Range, filter: EventFilter, before: string | null, row_limit: number) =>
      rows(
        await ask("audience_event_list", { ...span(range), ...filter, before, row_limit }),
        "audience_event_list",
        listedEvent,
      ),
    event: async (event: string) => nullable(wholeEvent)(await ask("audience_event", { event }), "audience_event"),
    eventProof: async (event: string) =>
      nullable(proof)(await ask("audience_event_proof", { event }), "audience_event_proof"),
    trail: async (event: string, whose: string) =>
      rows(await ask("audience_trail", { event, whose }), "audience_trail", step),
    proof: async () => rows(await ask("audience_history_proof", {}), "audience_history_proof", historyProof)[0],
    revertState: async (subject: string, transition: string, notes: string) =>
      text(
        await ask("audience_state_revert", {
          subject,
          transition: Number(transition),
          notes: notes === "" ? null : notes,
        }),
        "audience_state_revert",
      ),
  };

  function ask(name: string, args: object): Promise<unknown> {
    return read(client, name, { site, ...args });
  }
}

/** A range as functions without a zone take it. */
export function span({ from, to }: Range): object {
  return { from_time: from.toISOString(), to_time: to.toISOString() };
}
