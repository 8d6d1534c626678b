// What can be put right in an event that was refused: campaign parameters are left out, and a wrong clock is corrected.
import type { Violation } from "./types.ts";

export type Mended = { text: string; left: readonly string[] };

/**
 * The event without the campaign parameters that break it, and with the time given; undefined if something else is
 * wrong with it, or the same as before would be sent.
 */
export function mend(text: string, violations: readonly Violation[], occurredAt?: number): Mended | undefined {
  const event = JSON.parse(text) as { [field: string]: unknown; occurred_at?: string };
  const left: string[] = [];
  for (const { rule_id, path = "" } of violations) {
    // A campaign without its source and medium is nothing that an attribution event may say.
    const name = rule_id === "attribution.utm_complete" ? "utm_campaign" : /^\/(utm_\w+)$/.exec(path)?.[1];
    if (name) {
      if (!(name in event)) return;
      left.push(name);
      delete event[name];
    } else if (rule_id === "sanity.occurred_at_window" && occurredAt !== undefined) {
      // Once corrected, it is the same for every later answer.
      if (Math.abs(Date.parse(event.occurred_at ?? "") - occurredAt) < 60_000) return;
      event.occurred_at = new Date(occurredAt).toISOString();
    } else return;
  }
  return violations.length > 0 ? { text: JSON.stringify(event), left } : undefined;
}
