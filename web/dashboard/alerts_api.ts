/** Alerts of a site, as the database gives them and takes them. */
import type { SupabaseClient } from "@supabase/supabase-js";
import { flag, nullable, number, type Row, text } from "./decode.ts";
import { read, ReadError, rows } from "./kpi.ts";

const alert = {
  id: text,
  kind: text,
  source: nullable(text),
  threshold: number,
  minutes: number,
  active: flag,
  state: text,
  since: nullable(text),
  value: nullable(number),
  job_active: flag,
};
const firing = {
  id: number,
  kind: text,
  source: nullable(text),
  state: text,
  value: number,
  threshold: number,
  happened_at: text,
};

export type Alert = Row<typeof alert>;
export type Firing = Row<typeof firing>;
export interface AlertDraft {
  readonly kind: string;
  readonly source: string | null;
  readonly threshold: number;
  readonly minutes: number;
}
export type AlertsApi = ReturnType<typeof alertsApi>;

export function alertsApi(client: SupabaseClient, site: string) {
  const table = () => client.from("audience_alerts");
  return {
    list: async () => rows(await read(client, "audience_alert_list", { site }), "audience_alert_list", alert),
    firings: async (limit: number) => {
      const { data, error } = await client.from("audience_alert_firings")
        .select("id, kind, source, state, value, threshold, happened_at").eq("site_id", site)
        .order("id", { ascending: false }).limit(limit);
      written({ error });
      return rows(data, "audience_alert_firings", firing);
    },
    add: async (draft: AlertDraft) => written(await table().insert({ ...draft, site_id: site })),
    setActive: async (id: string, active: boolean) => written(await table().update({ active }).eq("id", id)),
    remove: async (id: string) => written(await table().delete().eq("id", id)),
  };
}

function written({ error }: { readonly error: { readonly code: string; readonly message: string } | null }): void {
  if (error) throw new ReadError(error.code, error.message);
}
