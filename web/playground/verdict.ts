/** Turns the text in the editor into everything the page says about it. Pure, except that it calls the WASM. */
import type { Caller, Gate, Rule } from "./gate.ts";

export interface Sender {
  readonly caller: Caller;
  readonly callerId: string;
  readonly origin: string;
}
export interface Finding {
  readonly rule: Rule;
  readonly path: string;
}
export interface EventVerdict {
  readonly index: number;
  readonly accepted: boolean;
  readonly findings: readonly Finding[];
}
export interface Row {
  readonly index: number;
}
export interface Verdict {
  readonly events: readonly EventVerdict[];
  readonly accepted: readonly Row[];
  readonly audit: readonly Row[];
  readonly answer: object;
  readonly bytes: number;
  readonly milliseconds: number;
}
interface Answer {
  readonly results: readonly {
    readonly index: number;
    readonly status: string;
    readonly violations?: readonly { readonly rule_id: string; readonly path: string }[];
  }[];
}
interface Argument {
  readonly batch: { readonly accepted: readonly Row[]; readonly rejected: readonly Row[] };
}

// One seed per page, so that the ids the gate makes do not change while somebody types.
const seed = crypto.getRandomValues(new Uint8Array(16));

export function judgeText(gate: Gate, rules: ReadonlyMap<string, Rule>, text: string, sender: Sender): Verdict {
  const body = new TextEncoder().encode(text);
  const receivedAt = Date.now();
  const context = {
    caller: sender.caller,
    callerId: sender.caller === "user" ? sender.callerId : null,
    origin: sender.origin === "" ? null : sender.origin,
    receivedAt,
  };
  const begun = performance.now();
  const judgement = gate.judge(body, { ...context, seed, dryRun: true });
  const milliseconds = performance.now() - begun;
  const answer = read<Answer>(judgement.answer);
  const { batch } = read<Argument>(judgement.argument);
  return {
    events: answer.results.map((result) => ({
      index: result.index,
      accepted: result.status === "accepted",
      findings: (result.violations ?? []).flatMap(({ rule_id, path }) => {
        const rule = rules.get(rule_id);
        return rule ? [{ rule, path }] : [];
      }),
    })),
    accepted: batch.accepted,
    audit: batch.rejected,
    answer,
    bytes: body.length,
    milliseconds,
  };
}

function read<T>(bytes: Uint8Array): T {
  return JSON.parse(new TextDecoder().decode(bytes)) as T;
}
