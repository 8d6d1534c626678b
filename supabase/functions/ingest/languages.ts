/** The reasons of an install's own rules in the language that the caller asks for; the database keeps the English ones. */

import type { Bytes } from "./gate.ts";
import type { Registry } from "./registry.ts";

/** What a caller lists is bounded, because every rule is looked up by it. */
const MOST_LANGUAGES = 10;

/** The languages of `Accept-Language`, the most wanted first, each followed by what it is a form of. */
export function languages(header: string | null): string[] {
  const wanted = (header ?? "").split(",").slice(0, MOST_LANGUAGES).map((part) => {
    const [tag = "", ...parameters] = part.trim().toLowerCase().split(/\s*;\s*/);
    const weight = parameters.find((parameter) => parameter.startsWith("q="));
    return { tag, weight: weight === undefined ? 1 : Number(weight.slice(2)) };
  });
  const sorted = wanted.filter(({ tag, weight }) => tag !== "" && weight > 0).sort((a, b) => b.weight - a.weight);
  return sorted.flatMap(({ tag }) => [tag, ...(tag.includes("-") ? [tag.slice(0, tag.indexOf("-"))] : [])]);
}

/** An answer in which each own rule speaks the first of these languages that it has a reason in. */
export function translated(body: Bytes | string, wanted: string[], registry: Registry | null): Bytes | string {
  const reasons = new Map<string, string>();
  for (const { id, reasons: known } of registry?.own_rules ?? []) {
    const listed = new Map(Object.entries(known ?? {}).map(([language, reason]) => [language.toLowerCase(), reason]));
    const language = wanted.find((language) => listed.has(language));
    if (id !== undefined && language !== undefined && language !== "en") {
      reasons.set(id, listed.get(language) ?? "");
    }
  }
  if (reasons.size === 0) return body;
  const answer = JSON.parse(typeof body === "string" ? body : new TextDecoder().decode(body));
  for (const result of answer.results ?? []) {
    if (reasons.has(result.rule_id)) result.reason = reasons.get(result.rule_id);
  }
  return JSON.stringify(answer);
}
