// What is reported of an event that was not sent: which rules it broke, and a form of it without anything personal.
import type { Violation } from "./types.ts";

const MOST_BYTES = 4096;
const MOST_VIOLATIONS = 10;
const MOST_TEXT = 128;

type Event = { readonly [field: string]: unknown };

/** `redacted` is the event as the contract redacts it; undefined where it may not run, so only its outline is told. */
export function report(event: Event, violations: readonly Violation[], redacted: string | undefined): string {
  const whole = redacted !== undefined && new TextEncoder().encode(redacted).length <= MOST_BYTES;
  return JSON.stringify({
    violations: violations.slice(0, MOST_VIOLATIONS).map(({ rule_id, path }) => ({ rule_id, path })),
    event: whole ? JSON.parse(redacted) : outline(event, redacted !== undefined),
  });
}

/** The columns that the contract knows and the tracker fills in, with nothing that a page wrote by hand. */
function outline(event: Event, isLong: boolean): Event {
  const { id, occurred_at, session_id, site_id, user_id } = event;
  const short = (value: unknown) => (typeof value === "string" ? value.slice(0, MOST_TEXT) : undefined);
  return {
    id,
    occurred_at,
    session_id,
    site_id,
    user_id,
    event_type: short(event["event_type"]),
    event_category: short(event["event_category"]),
    event_source: short(event["event_source"]),
    metadata: isLong ? "[shortened:metadata]" : "[redacted:metadata]",
  };
}
