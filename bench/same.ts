/** The proof that comes before the timing: every contender gives the same verdicts and stores the same rows. */
import assert from "node:assert/strict";
import type { Contender, Request } from "./contenders/types.ts";

type Result = { index: number; id: string; status: string; violations?: (string | { rule_id: string })[] };

const decoder = new TextDecoder();

/** Compares the contenders and returns how many events it compared; throws at the first difference. */
export function assertSame(contenders: Map<string, Contender>, bodies: Uint8Array[], request: Request): number {
  let compared = 0;
  for (const body of bodies) {
    let expected: { name: string; facts: ReturnType<typeof factsOf> } | undefined;
    for (const [name, contender] of contenders) {
      const facts = factsOf(contender, body, request);
      if (expected) assert.deepEqual(facts, expected.facts, `${name} and ${expected.name} differ`);
      expected ??= { name, facts };
    }
    compared += expected?.facts.results.length ?? 0;
  }
  return compared;
}

/** Every verdict with its rules, and every row that would be stored as an accepted event. */
function factsOf(contender: Contender, body: Uint8Array, request: Request) {
  const { accepted, rejected, argument, answer } = contender.judge(body, request);
  const { results } = JSON.parse(decoder.decode(answer)) as { results: Result[] };
  const { batch } = JSON.parse(decoder.decode(argument)) as { batch: { accepted: object[]; rejected: object[] } };
  return {
    accepted,
    rejected,
    results: results.map(({ index, id, status, violations }) => ({
      index,
      id: status === "accepted" ? id : null,
      status,
      violations: (violations ?? []).map((one) => (typeof one === "string" ? one : one.rule_id)),
    })),
    rows: batch.accepted,
    audited: batch.rejected.length,
  };
}
