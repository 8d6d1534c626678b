/** Rules of the install's own and tables under a lifecycle, as the database gives them and takes them. */
import type { Client } from "./client.ts";
import { anything, flag, list, nullable, number, object, type Row, row, text } from "./decode.ts";
import { type Range, read, rows, written } from "./kpi.ts";
import { span } from "./room.ts";

const ownRule = {
  id: text,
  category: nullable(text),
  event_type: nullable(text),
  every_site: flag,
  schema: anything,
  mode: text,
  reason: text,
  reasons: object,
  updated_at: text,
  counted: number,
  counted_in: object,
  first_at: nullable(text),
  last_at: nullable(text),
  sample: anything,
};
const tried = row({
  refusal: nullable(text),
  binds: nullable(flag),
  passes: nullable(flag),
  place: nullable(text),
  stored: nullable(row({ examined: number, refused: number, senders: object, samples: list(text) })),
});
const lifecycle = {
  tracked: text,
  stage_column: text,
  entity: text,
  tracked_at: text,
  untracked_at: nullable(text),
  readable: flag,
};
const moves = { from_stage: nullable(text), to_stage: text, moves: number, records: number };
const dwell = {
  stage: text,
  stays: number,
  average: nullable(text),
  median: nullable(text),
  longest: nullable(text),
  still_there: number,
};
const actors = { actor: text, moves: number, records: number, first_at: text, last_at: text };
const move = {
  record_id: text,
  from_stage: nullable(text),
  to_stage: text,
  actor: text,
  changed_at: text,
  notes: nullable(text),
};
const timeline = {
  event: text,
  from_stage: nullable(text),
  to_stage: text,
  actor: text,
  changed_at: text,
  notes: nullable(text),
  stayed: nullable(text),
};

export type OwnRule = Row<typeof ownRule>;
export type Tried = ReturnType<typeof tried>;
export type Lifecycle = Row<typeof lifecycle>;
export type Moves = Row<typeof moves>;
export type Dwell = Row<typeof dwell>;
export type Actors = Row<typeof actors>;
export type Moved = Row<typeof timeline>;
export type Move = Row<typeof move>;
export type Mode = "observe" | "enforce" | "off";

export interface Draft {
  readonly id: string;
  readonly category: string | null;
  readonly event_type: string | null;
  readonly schema: unknown;
  readonly mode: Mode;
  readonly reasons: { readonly en: string; readonly [language: string]: unknown };
}
export type RulesApi = ReturnType<typeof rulesApi>;

export function rulesApi(client: Client, site: string) {
  return {
    list: async () => rows(await read(client, "audience_own_rule_list", { site }), "audience_own_rule_list", ownRule),
    attempt: async (args: Pick<Draft, "category" | "event_type" | "schema"> & { readonly example: unknown }) =>
      tried(await read(client, "audience_try_own_rule", { site, ...args }), "audience_try_own_rule"),
    add: async (draft: Draft) => written(await client.from("audience_own_rules").insert({ ...draft, site_id: site })),
    change: async (id: string, terms: Pick<Draft, "category" | "event_type" | "schema" | "reasons">) =>
      written(await client.from("audience_own_rules").update(terms).eq("id", id)),
    setMode: async (id: string, mode: Mode) =>
      written(await client.from("audience_own_rules").update({ mode }).eq("id", id)),
  };
}

export type LifecycleApi = ReturnType<typeof lifecycleApi>;

export function lifecycleApi(client: Client) {
  const of = ({ tracked, stage_column }: Lifecycle) => ({ tracked, stage_column });
  return {
    list: async () => rows(await read(client, "lifecycle_list", {}), "lifecycle_list", lifecycle),
    moves: async (one: Lifecycle, range: Range) =>
      rows(await read(client, "lifecycle_funnel", { ...of(one), ...span(range) }), "lifecycle_funnel", moves),
    dwell: async (one: Lifecycle, range: Range) =>
      rows(await read(client, "lifecycle_dwell", { ...of(one), ...span(range) }), "lifecycle_dwell", dwell),
    actors: async (one: Lifecycle, range: Range) =>
      rows(await read(client, "lifecycle_actors", { ...of(one), ...span(range) }), "lifecycle_actors", actors),
    latest: async (one: Lifecycle, range: Range, row_limit: number) =>
      rows(await read(client, "lifecycle_latest", { ...of(one), ...span(range), row_limit }), "lifecycle_latest", move),
    timeline: async (one: Lifecycle, record_id: string) =>
      rows(await read(client, "lifecycle_timeline", { ...of(one), record_id }), "lifecycle_timeline", timeline),
    revert: async (one: Lifecycle, record_id: string, event: string, notes: string) =>
      text(
        await read(client, "lifecycle_revert", { ...of(one), record_id, event, notes: notes === "" ? null : notes }),
        "lifecycle_revert",
      ),
  };
}
