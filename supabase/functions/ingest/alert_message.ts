/** What a destination is told, in the form that it takes. */

/** As the database gives it: nothing in it names a person. */
export interface AlertMessage {
  readonly id: string;
  readonly type: "alert.fired" | "alert.cleared" | "alert.test";
  readonly at: string;
  readonly site: { readonly id: string; readonly name: string | null };
  /** The alert, and what was measured; null in a test. */
  readonly alert: string | null;
  readonly kind: string | null;
  readonly source: string | null;
  readonly value: number | null;
  readonly threshold: number | null;
}

/** The kinds of alerts in words, and their numbers. */
const KINDS: Readonly<Record<string, readonly [name: string, shown: (value: number) => string]>> = {
  rejected_share: ["too much is refused", (share) => `${Number((share * 100).toFixed(2))} % of the events`],
  silence: ["a sender fell silent", (minutes) => `${minutes} minutes`],
  lag: ["states or figures lag behind", (minutes) => `${minutes} minutes`],
  failed_jobs: ["jobs fail", (runs) => `${runs} failed runs`],
  contract_drift: ["another contract judges", (events) => `${events} events`],
};

/** The body for a form. */
export function bodyOf(form: "json" | "slack", message: AlertMessage): string {
  return JSON.stringify(form === "slack" ? { text: escaped(sentence(message)) } : message);
}

function sentence({ type, kind, source, value, threshold, site }: AlertMessage): string {
  const where = `${site.name ?? site.id}${source === null ? "" : `, sender ${source}`}`;
  if (type === "alert.test") return `${where}: this is a test of the alerts, and it arrived.`;
  const [name, shown] = KINDS[kind ?? ""] ?? [kind ?? "an alert", String];
  const measured = `${shown(value ?? 0)}; the alert is set at ${shown(threshold ?? 0)}`;
  return type === "alert.fired"
    ? `${where}: ${name} (${measured}).`
    : `${where}: it is over that ${name} (${measured}).`;
}

/** Slack reads `<!channel>` and links where a name holds such signs. */
function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
