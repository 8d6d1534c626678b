/** Runs wherever the package does, because it imports nothing and uses no platform's own features. */

const encoder = new TextEncoder();

/**
 * Where the package says something other than what is written down; empty if it agrees on every case.
 *
 * @param {typeof import("../../pkg/audience_gate.js")} gate
 * @param {{ registry: object, receivedAt: number, cases: import("./cases.mjs").Case[] }} expected
 */
export function disagreements(gate, { registry, receivedAt, cases }) {
  gate.loadRegistry(JSON.stringify(registry));
  const found = [];
  for (const one of cases) {
    const bytes = encoder.encode(one.text);
    const context = { caller: one.caller, callerId: one.callerId, origin: one.origin, receivedAt };
    const said = gate.check(one.text, undefined, context).violations.map(({ rule_id }) => rule_id);
    const fromBytes = gate.check(bytes, undefined, context).violations.map(({ rule_id }) => rule_id);
    const wanted = one.violates ?? (one.first ? [one.first, ...said.slice(1)] : []);
    if (said.join() !== wanted.join()) found.push(`${one.name}: expected [${wanted}], got [${said}]`);
    if (said.join() !== fromBytes.join()) found.push(`${one.name}: text and bytes differ`);
    // A body that begins with a bracket is several events, not the single event that `check` judges.
    if (!/^[\ufeff\s]*\[/.test(one.text) && !one.text.includes('"events"')) {
      const judgement = gate.judge(bytes, { ...context, seed: new Uint8Array(16) });
      const [result] = JSON.parse(new TextDecoder().decode(judgement.answer)).results;
      const judged = (result.violations ?? []).map((/** @type {{ rule_id: string }} */ { rule_id }) => rule_id);
      if (judged.join() !== said.join()) found.push(`${one.name}: check [${said}], judge [${judged}]`);
    }
  }
  return found;
}
