/** The answer as the gate wrote it, brought into line with what the store did. */

import type { Bytes, Judgement } from "./gate.ts";
import type { RateState, StoreAnswer, Violation } from "./store.ts";

interface Answer {
  accepted: number;
  replayed: number;
  rejected: number;
  results: Result[];
}

interface Result {
  index: number;
  /** Of a rejected event, the id that it was sent with; null if it had none. */
  id: string | null;
  status: "accepted" | "rejected";
  replayed?: boolean;
  rule_id?: string;
  reason?: string;
  violations?: readonly Violation[];
}

/** sent = accepted + replayed + rejected */
export interface Counts {
  accepted: number;
  replayed: number;
  rejected: number;
}

export interface Settled {
  readonly body: Bytes | string;
  readonly status: 200 | 207 | 400 | 422;
  readonly counts: Counts;
}

export function settle(judgement: Judgement, stored: StoreAnswer): Settled {
  const { accepted, rejected, readable } = judgement;
  if (!stored.replayed?.length && !stored.rejected?.length) {
    const counts = { accepted, replayed: 0, rejected };
    return {
      body: judgement.answer,
      status: statusOf(counts, readable),
      counts,
    };
  }
  const answer: Answer = JSON.parse(new TextDecoder().decode(judgement.answer));
  const counts = patch(answer.results, stored);
  return {
    body: JSON.stringify({ ...answer, ...counts }),
    status: statusOf(counts, readable),
    counts,
  };
}

export function rateHeaders(
  headers: Headers,
  rate: RateState | null | undefined,
): void {
  if (!rate) return;
  headers.set("RateLimit-Limit", String(rate.limit));
  headers.set("RateLimit-Remaining", String(rate.remaining));
  headers.set("RateLimit-Reset", String(rate.reset));
}

function patch(results: Result[], stored: StoreAnswer): Counts {
  const byIndex = new Map(results.map((result) => [result.index, result]));
  for (const index of stored.replayed ?? []) {
    const result = byIndex.get(index);
    if (result?.status === "accepted") result.replayed = true;
  }
  for (const { index, rule_id, reason, violations } of stored.rejected ?? []) {
    const result = byIndex.get(index);
    if (result) {
      Object.assign(result, {
        status: "rejected",
        replayed: undefined,
        rule_id,
        reason,
        violations,
      });
    }
  }
  const counts = { accepted: 0, replayed: 0, rejected: 0 };
  for (const { status, replayed } of results) {
    counts[replayed ? "replayed" : status] += 1;
  }
  return counts;
}

function statusOf(
  { accepted, replayed, rejected }: Counts,
  readable: boolean,
): Settled["status"] {
  if (!readable) return 400;
  if (rejected === 0) return 200;
  return accepted + replayed === 0 ? 422 : 207;
}
