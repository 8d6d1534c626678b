/** What owners change: event types, the site, its members, the schedules; and the history of all that, with a way back. */
import type { Client } from "./client.ts";
import { anything, flag, list, nullable, number, object, type Row, text } from "./decode.ts";
import { read, ReadError, rows, written } from "./kpi.ts";
import type { Answer } from "./rest.ts";

const eventType = {
  id: text,
  category: text,
  tier: text,
  score_weight: number,
  daily_cap: number,
  withdraws_consent: flag,
  description: text,
  payload_schema: anything,
  active: flag,
};
const stateRow = { id: text, name: text, meaning: text, rank: number, min_score: number };
const funnelStep = { funnel: text, name: text, window_seconds: number, step: text, event_type: text };
const siteRow = { id: text, name: text, origins: nullable(list(text)) };
const member = { user_id: text, role: text, created_at: text };
const job = {
  name: text,
  description: text,
  schedule: text,
  active: flag,
  last_at: nullable(text),
  last_outcome: nullable(text),
  failed_runs: number,
};
const wallLink = { id: text, name: text, created_at: text, expires_at: text, revoked_at: nullable(text) };
const change = {
  id: number,
  entity_changed: text,
  record_changed: object,
  before: nullable(object),
  after: nullable(object),
  actor: text,
  changed_at: text,
  notes: nullable(text),
};

export type EventType = Row<typeof eventType>;
export type StateRow = Row<typeof stateRow>;
/** A funnel with its steps in their order. */
export interface FunnelRow {
  readonly funnel: string;
  readonly name: string;
  readonly window_seconds: number;
  readonly steps: readonly { readonly name: string; readonly event_type: string }[];
}
export type SiteRow = Row<typeof siteRow>;
export type Member = Row<typeof member>;
export type Job = Row<typeof job>;
export type WallLink = Row<typeof wallLink>;
export type Change = Row<typeof change>;
export type RegistryApi = ReturnType<typeof registryApi>;
/** Which changes: of one kind, and of one record of it. */
export interface Changed {
  readonly entity?: string;
  readonly record?: string;
}

export function registryApi(client: Client, site: string) {
  return {
    /** Whether the reader may change what all sites share. */
    mayEdit: async () => flag(await read(client, "audience_may_edit_registry", {}), "audience_may_edit_registry"),
    me: async () => (await client.auth.getSession()).data.session?.user.id ?? "",
    types: async () => {
      const { data, error } = await client.from("audience_event_types").select(Object.keys(eventType).join(",")).order(
        "id",
      );
      written({ error });
      return rows(data, "audience_event_types", eventType);
    },
    addType: async (one: object) => written(await client.from("audience_event_types").insert(one)),
    changeType: (id: string, changed: object) =>
      reached(client.from("audience_event_types").update(changed).eq("id", id).select("id")),
    /** Why the database would refuse a payload schema. */
    refusal: async (schema: unknown) =>
      nullable(text)(await read(client, "audience_check_payload_schema", { schema }), "audience_check_payload_schema"),
    states: async () => {
      const { data, error } = await client.from("audience_states").select(Object.keys(stateRow).join(",")).order(
        "rank",
      );
      written({ error });
      return rows(data, "audience_states", stateRow);
    },
    addState: async (one: object) => written(await client.from("audience_states").insert(one)),
    changeState: (id: string, changed: object) =>
      reached(client.from("audience_states").update(changed).eq("id", id).select("id")),
    removeState: (id: string) => reached(client.from("audience_states").delete().eq("id", id).select("id")),
    funnels: async (): Promise<readonly FunnelRow[]> => {
      const steps = rows(await read(client, "kpi_funnels", { site }), "kpi_funnels", funnelStep);
      const funnels = new Map(
        steps.map(({ funnel, name, window_seconds }) => [funnel, { funnel, name, window_seconds }]),
      );
      return [...funnels.values()].map((one) => ({
        ...one,
        steps: steps.filter(({ funnel }) => funnel === one.funnel).map(({ step, event_type }) => ({
          name: step,
          event_type,
        })),
      }));
    },
    saveFunnel: (funnel: string, name: string, window_seconds: number, steps: FunnelRow["steps"]) =>
      read(client, "audience_save_funnel", { site, funnel, name, window_seconds, steps }),
    removeFunnel: (funnel: string) => read(client, "audience_remove_funnel", { site, funnel }),
    site: async () => {
      const { data, error } = await client.from("audience_sites").select("id, name, origins").eq("id", site);
      written({ error });
      return rows(data, "audience_sites", siteRow)[0];
    },
    changeSite: (changed: object) => reached(client.from("audience_sites").update(changed).eq("id", site).select("id")),
    members: async () => {
      const { data, error } = await client.from("audience_site_members").select("user_id, role, created_at")
        .eq("site_id", site).order("created_at");
      written({ error });
      return rows(data, "audience_site_members", member);
    },
    addMember: async (user_id: string, role: string) =>
      written(await client.from("audience_site_members").insert({ site_id: site, user_id, role })),
    setRole: (user_id: string, role: string) =>
      reached(
        client.from("audience_site_members").update({ role }).eq("site_id", site).eq("user_id", user_id).select(
          "user_id",
        ),
      ),
    removeMember: (user_id: string) =>
      reached(
        client.from("audience_site_members").delete().eq("site_id", site).eq("user_id", user_id).select("user_id"),
      ),
    jobs: async () => rows(await read(client, "audience_job_list", { site }), "audience_job_list", job),
    switchJob: (name: string, active: boolean) => read(client, "audience_switch_job", { name, active }),
    wallLinks: async () => {
      const { data, error } = await client.from("audience_wall_links").select(Object.keys(wallLink).join(","))
        .eq("site_id", site).order("created_at", { ascending: false });
      written({ error });
      return rows(data, "audience_wall_links", wallLink);
    },
    /** The secret of a new link, which nobody can read again. */
    addWallLink: async (name: string, days: number) =>
      text(await read(client, "audience_add_wall_link", { site, name, days }), "audience_add_wall_link"),
    endWallLink: (link: string) => read(client, "audience_end_wall_link", { site, link }),
    changes: async (which: Changed, row_limit: number) =>
      rows(
        await read(client, "audience_registry_changes", { site, ...which, row_limit }),
        "audience_registry_changes",
        change,
      ),
    undo: (id: number) => read(client, "audience_undo_registry_change", { change: id }),
  };
}

/** Row level security lets a change that it forbids touch no row, and says nothing. */
async function reached(
  asked: PromiseLike<Answer>,
): Promise<void> {
  const { data, error } = await asked;
  written({ error });
  if (!Array.isArray(data) || data.length === 0) throw new ReadError("42501", "you may not change this, or it is gone");
}
