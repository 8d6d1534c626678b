/** Alerts of a site, as the database gives them and takes them. */
import type { Client } from "./client.ts";
import { flag, list, nullable, number, type Row, row, text } from "./decode.ts";
import { read, rows, written } from "./kpi.ts";

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
const destination = { id: text, name: text, form: text, active: flag };
const delivery = {
  id: text,
  destination_id: text,
  firing_id: nullable(number),
  state: text,
  attempts: number,
  due_at: text,
  status: nullable(number),
  problem: nullable(text),
  created_at: text,
};
const sent = row({
  results: list(row({ id: text, destination: text, problem: nullable(text), status: nullable(number) })),
});

export type Destination = Row<typeof destination>;
export type Delivery = Row<typeof delivery>;
export type Alert = Row<typeof alert>;
export type Firing = Row<typeof firing>;
export interface AlertDraft {
  readonly kind: string;
  readonly source: string | null;
  readonly threshold: number;
  readonly minutes: number;
}
export type AlertsApi = ReturnType<typeof alertsApi>;

export function alertsApi(client: Client, site: string) {
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
    destinations: async () => {
      const { data, error } = await client.from("audience_alert_destinations").select("id, name, form, active")
        .eq("site_id", site).order("name");
      written({ error });
      return rows(data, "audience_alert_destinations", destination);
    },
    deliveries: async (limit: number) => {
      const { data, error } = await client.from("audience_alert_deliveries")
        .select("id, destination_id, firing_id, state, attempts, due_at, status, problem, created_at").eq(
          "site_id",
          site,
        )
        .order("created_at", { ascending: false }).limit(limit);
      written({ error });
      return rows(data, "audience_alert_deliveries", delivery);
    },
    addDestination: (name: string, form: string, url: string) =>
      read(client, "audience_add_alert_destination", { site, name, form, url }),
    setTold: async (id: string, active: boolean) =>
      written(await client.from("audience_alert_destinations").update({ active }).eq("id", id)),
    removeDestination: async (id: string) =>
      written(await client.from("audience_alert_destinations").delete().eq("id", id)),
    /** What came of a test; undefined where the function cannot be called from this page, and the schedule will send it. */
    test: async ({ id, name }: Destination) => {
      await read(client, "audience_test_alerts", { site, destination: id });
      const answer = await client.post("ingest/alerts").catch(() => undefined);
      return answer === undefined
        ? undefined
        : sent(answer, "ingest/alerts").results.find((one) => one.destination === name);
    },
    add: async (draft: AlertDraft) => written(await table().insert({ ...draft, site_id: site })),
    change: async (id: string, terms: Pick<AlertDraft, "threshold" | "minutes">) =>
      written(await table().update(terms).eq("id", id)),
    setActive: async (id: string, active: boolean) => written(await table().update({ active }).eq("id", id)),
    remove: async (id: string) => written(await table().delete().eq("id", id)),
  };
}
