/** A payload schema in the hands of the contract in the page: what it says of it, of an event, and of the names of keys. */
import { type Child, el } from "../../shared/dom.ts";
import { prose, sentence } from "../../shared/prose.ts";
import type { Gate } from "../gate.ts";
import { ofContract, type Reasons } from "../reasons.ts";
import type { EventType } from "../registry_api.ts";
import { rich, t } from "../texts.ts";

/** The part of the registry that is rewritten. */
export interface Snapshot {
  readonly event_types: readonly { readonly id: string }[];
}
export type Schema = { properties?: Record<string, Record<string, unknown>> } & Record<string, unknown>;

/** What the contract in the page says of the schema and of the example, with this type as it would be. */
export function byModule(
  contract: Gate,
  registry: Snapshot,
  now: EventType,
  example: string,
  reasons: Reasons,
): { readonly fault: string | undefined; readonly said: Child } {
  const others = registry.event_types.filter(({ id }) => id !== now.id);
  const { id, category, payload_schema } = now;
  const drafted = JSON.stringify({
    ...registry,
    event_types: now.active ? [...others, { id, category, payload_schema }] : others,
  });
  try {
    const fault = contract.loadRegistry(drafted);
    if (fault !== undefined) return { fault, said: el("p", { class: "problem" }, prose(sentence(fault))) };
    const { accepted, violations } = contract.check(example, undefined, { caller: "user" });
    return {
      fault: undefined,
      said: [
        el(
          "p",
          { class: "facts" },
          rich("The event {verdict}", {
            verdict: el(
              "span",
              { class: `tag ${accepted ? "pass" : "refuse"}` },
              accepted ? t("would pass") : t("would be refused"),
            ),
          }),
        ),
        violations.length > 0 && el(
          "ul",
          { class: "plain" },
          violations.map(({ rule_id, path, reason }) =>
            el(
              "li",
              {},
              el("code", { class: "rule-id" }, rule_id),
              path !== "" && [" (", el("code", {}, path), ")"],
              ": ",
              ofContract(rule_id, reason, reasons, "span"),
            )
          ),
        ),
      ],
    };
  } catch (error) {
    const fault = error instanceof Error ? error.message : String(error);
    return { fault, said: el("p", { class: "problem" }, sentence(fault)) };
  } finally {
    contract.loadRegistry(JSON.stringify(registry));
  }
}

export function isPersonal(contract: Gate, now: EventType, key: string): boolean {
  const event = {
    event_type: now.id,
    event_category: now.category,
    event_source: "web",
    session_id: "session-0001",
    metadata: { [key]: "x" },
  };
  return contract.check(event).violations.some(({ rule_id }) => rule_id === "privacy.personal_key");
}

/** The schema of a payload as a part of one over the event: its references lead from there. */
export function withinEvent(schema: unknown): Schema {
  return { properties: { metadata: pointing(schema) as Record<string, unknown> } };
}

/** Values, in which a `$ref` is not a reference. */
const AS_IS = ["const", "enum", "default", "examples"];

function pointing(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(pointing);
  if (typeof schema !== "object" || schema === null) return schema;
  return Object.fromEntries(
    Object.entries(schema).map(([word, says]: [string, unknown]) => {
      if (word === "$ref" && typeof says === "string") return [word, `#/properties/metadata${says.slice(1)}`];
      return [word, AS_IS.includes(word) && isValue(word, says) ? says : pointing(says)];
    }),
  );
}

/** Whether it is what the keyword says, and not what is said of a key of that name. */
const isValue = (word: string, says: unknown): boolean => word === "const" || word === "default" || Array.isArray(says);
