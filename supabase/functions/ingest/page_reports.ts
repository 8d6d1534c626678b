/**
 * What pages report: events that their own check refused, which were never sent.
 *
 * The database makes audit rows of them and believes nothing in them. Here they are only brought into a form that it can
 * read: reports are few and small, so unlike events they may be taken apart in JavaScript.
 */

import type { Caller } from "./caller.ts";
import { Refusal } from "./refusal.ts";
import { hmac, hmacKey } from "./sign.ts";
import type { ReportAnswer } from "./store.ts";

/** As much as a closing page may send. */
export const REPORT_BYTES = 65_536;
export const MOST_REPORTS = 50;
/** As deep as what the gate itself shows of a refused event. */
const DEEPEST = 8;

export interface Reported {
  readonly body: string;
  readonly status: 200 | 207 | 422;
  readonly counts: { readonly reported: number; readonly rejected: number };
}

/** The reports of a body: an array, or one alone. */
export function readReports(body: Uint8Array): unknown[] {
  let sent: unknown;
  try {
    sent = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch {
    throw badReports("the body is not JSON");
  }
  const reports = Array.isArray(sent) ? sent : [sent];
  if (reports.length > MOST_REPORTS) {
    throw new Refusal(
      "too_many_events",
      `the body holds ${reports.length} reports, and ${MOST_REPORTS} are allowed`,
      "split it; nothing was recorded",
    );
  }
  const { length } = reports.filter(isReport);
  if (length < reports.length || length === 0) throw badReports("the body is not an array of reports");
  return reports.map((report) => plain(report, 0));
}

/** The reports with the hash of an address keyed by the pepper, as the gate stores it of every event. */
export async function keyedReports(reports: readonly unknown[], pepper: string | undefined): Promise<unknown[]> {
  if (pepper === undefined) return [...reports];
  const key = await hmacKey(new TextEncoder().encode(pepper));
  return await Promise.all(reports.map(async (report) => {
    const { event } = report as { event: unknown };
    const metadata = isObject(event) ? event["metadata"] : undefined;
    const hash = isObject(metadata) ? metadata["email_hash"] : undefined;
    if (typeof hash !== "string" || hash.trim() === "") return report;
    const kept = HASH.test(hash)
      ? { email_hash: await hmac(key, new TextEncoder().encode(hash)), email_hash_kind: "hmac-sha256" }
      : { email_hash: "[redacted:personal]" };
    return { ...report as object, event: { ...event as object, metadata: { ...metadata as object, ...kept } } };
  }));
}

const HASH = /^[0-9a-f]{64}$/;

/** The body of the call that records them. */
export function reportArgument(
  reports: readonly unknown[],
  caller: Caller,
  origin: string | null,
  receivedAt: number,
  rate: string | undefined,
): string {
  return JSON.stringify({
    batch: {
      caller: caller.kind,
      caller_id: caller.id,
      origin,
      received_at: new Date(receivedAt).toISOString(),
      rate: rate === undefined ? null : JSON.parse(rate),
      reports,
    },
  });
}

/** An answer for each report, in the form that events are answered in. */
export function settleReports(total: number, { reported }: ReportAnswer): Reported {
  const taken = new Set(reported);
  const results = Array.from({ length: total }, (_, index) =>
    taken.has(index) ? { index, status: "reported" } : {
      index,
      status: "rejected",
      reason: "the report names no rule that a page can judge, or its event is too large to be shown; shorten it",
    });
  const counts = { reported: taken.size, rejected: total - taken.size };
  return {
    body: JSON.stringify({ ...counts, results }),
    status: counts.rejected === 0 ? 200 : counts.reported === 0 ? 422 : 207,
    counts,
  };
}

function isReport(value: unknown): boolean {
  return isObject(value) && "event" in value && "violations" in value;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

/** The value without what a database cannot hold: U+0000, lone surrogates, and depth without end. */
function plain(value: unknown, depth: number): unknown {
  if (typeof value === "string") return value.replaceAll("\0", "\uFFFD").toWellFormed();
  if (typeof value !== "object" || value === null) return value;
  if (depth > DEEPEST) return "[shortened:nested]";
  if (Array.isArray(value)) return value.map((item) => plain(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [plain(key, 0), plain(member, depth + 1)]),
  );
}

function badReports(message: string): Refusal {
  return new Refusal(
    "bad_reports",
    message,
    'send an array of {"violations": [{"rule_id", "path"}], "event": {…}}; nothing was recorded',
  );
}
