// What is reported of an event that was not sent: which rules it broke, and a form of it without anything personal.
import { holdsAddress } from "./guard.ts";
import type { Violation } from "./types.ts";

const MOST_BYTES = 4096;
const MOST_VIOLATIONS = 10;
const MOST_TEXT = 128;
const COLUMNS = [
  ...["id", "occurred_at", "session_id", "site_id", "user_id"],
  ...["event_type", "event_category", "event_source"],
];

type Event = { readonly [field: string]: unknown };

/** `redacted` is the event as the contract redacts it; undefined where it may not run, so only its outline is told. */
export function report(event: Event, violations: readonly Violation[], redacted: string | undefined): string {
  const shown = redacted === undefined ? event : JSON.parse(redacted);
  const whole = redacted !== undefined && new TextEncoder().encode(redacted).length <= MOST_BYTES;
  return JSON.stringify({
    violations: violations.slice(0, MOST_VIOLATIONS).map(({ rule_id, path }) => ({ rule_id, path })),
    event: whole ? shown : outline(shown, redacted === undefined ? "[redacted:metadata]" : "[shortened:metadata]"),
  });
}

/** The columns that the contract knows and the tracker fills in; a page may have written an address over one of them. */
function outline(event: Event, metadata: string): Event {
  const columns = COLUMNS.flatMap((name) => {
    const value = event[name];
    return typeof value === "string" && !holdsAddress(value) ? [[name, value.slice(0, MOST_TEXT)]] : [];
  });
  return { ...Object.fromEntries(columns), metadata };
}
