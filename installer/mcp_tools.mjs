/** What an agent may ask about the contract. */
import { check, contract, loadRegistry } from "audience-gate/inline";
import { Refusal } from "./errors.mjs";
import { eventTypes } from "./registry.mjs";

/** @typedef {Record<string, unknown>} Values */
/** @typedef {{ description: string, properties: Record<string, object>, required?: string[], answer: (given: Values) => unknown }} Tool */

/** @param {string} snapshot of the registry @returns {Record<string, Tool>} */
export function toolsFor(snapshot) {
  const types = eventTypes(snapshot);
  const { default_site, ...registry } = JSON.parse(snapshot);
  // Which origins may send for which site is not public: the server decides it.
  loadRegistry(JSON.stringify({ ...registry, default_site, sites: [{ id: default_site, origins: null }] }));
  const { rules } = contract();
  const category = { type: "string", description: "only those of this category" };
  return {
    list_rules: {
      description:
        "Lists the rules that an event must satisfy: id, kind, category, and the reason that a violation is told.",
      properties: { category },
      answer: (given) =>
        rules.filter(of(given)).map(({ id, kind, category, reason }) => ({ id, kind, category, reason })),
    },
    list_event_types: {
      description: "Lists the event types that are registered, with the JSON Schema of their metadata.",
      properties: { category },
      answer: (given) => types.filter(of(given)),
    },
    check_event: {
      description:
        "Judges one event as the function would, and names each violated rule with its reason and place. Nothing is recorded.",
      properties: {
        event: { type: "object", description: "the event as it would be sent" },
        caller: { enum: ["visitor", "trusted"], description: "a page, or a back end with a secret key; visitor" },
      },
      required: ["event"],
      answer: ({ event, caller }) =>
        check(/** @type {object} */ (event), undefined, {
          caller: caller === "trusted" ? "trusted" : "visitor",
          receivedAt: Date.now(),
        }),
    },
    explain_rejection: {
      description:
        "Explains a rule_id of an answer: when the rule applies, what must hold, why, and an event of each kind.",
      properties: { rule_id: { type: "string", description: "as an answer or an audit row names it" } },
      required: ["rule_id"],
      answer: ({ rule_id }) => {
        const rule = rules.find(({ id }) => id === rule_id);
        if (!rule) throw new Refusal(`there is no rule ${rule_id}; list_rules names all, except an install's own`);
        return { ...rule, accepts: JSON.parse(rule.accepts), rejects: parsed(rule.rejects) };
      },
    },
  };
}

/** @param {Values} given */
const of = ({ category }) => (/** @type {{ category: unknown }} */ one) =>
  category === undefined || one.category === category;

/** Some rules reject what is no JSON. @param {string} text */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
