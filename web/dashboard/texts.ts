/**
 * The words of the page. English stands where it is used; the other languages are tables in `texts/`, of which a reader is
 * sent one. Which language: that of the link, else the one chosen on this device, else the first of the browser's that is here.
 */
import type { Child } from "../shared/dom.ts";
import type alerts from "./texts/alerts.json";
import type common from "./texts/common.json";
import type events from "./texts/events.json";
import type figures from "./texts/figures.json";
import { keyOf } from "./texts/key.mjs";
import type registry from "./texts/registry.json";
import type rules from "./texts/rules.json";

type Files = typeof alerts & typeof common & typeof events & typeof figures & typeof registry & typeof rules;
/** A text that every language has. */
export type Text = keyof Files;
/** The names of what stands in braces in a text. */
type Slots<T extends string> = T extends `${string}{${infer Name}}${infer Rest}` ? Name | Slots<Rest> : never;
type Values<T extends string, V> = Readonly<Record<Slots<T>, V>>;

export const LANGUAGES = { en: "English", de: "Deutsch", fr: "Français", es: "Español" } as const;
export type Language = keyof typeof LANGUAGES;
const KEY = "audience-gate.language";
const TABLES: Readonly<Record<Language, () => Promise<{ readonly default: Readonly<Record<string, string>> }>>> = {
  en: () => Promise.resolve({ default: {} }),
  de: () => import("texts:de"),
  fr: () => import("texts:fr"),
  es: () => import("texts:es"),
};

export const language: Language = chosen();
const plurals = new Intl.PluralRules(language);
const whole = new Intl.NumberFormat(language, { maximumFractionDigits: 0 });
/** Whatever uses words waits for them here, so that no part of the page is ever drawn in two languages. */
const table = await TABLES[language]().then((module) => module.default, (error: unknown) => {
  console.error(error);
  return {} as Readonly<Record<string, string>>;
});

/** A text in the reader's language. A number is written in it too; the one called `count` says if the text is of one or of many. */
export function t<T extends Text>(
  text: T,
  ...[values]: [Slots<T>] extends [never] ? [] : [Values<T, string | number>]
): string {
  const given = (values ?? {}) as Readonly<Record<string, string | number>>;
  const { count } = given;
  return formOf(text, typeof count === "number" ? count : undefined).replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const value = given[name] ?? "";
    return typeof value === "number" ? whole.format(value) : value;
  });
}

/** A text around elements. `count`: of how many it is said. */
export function rich<T extends Text>(text: T, values: Values<T, Child>, count?: number): readonly Child[] {
  const given = values as Readonly<Record<string, Child>>;
  return formOf(text, count).split(/\{(\w+)\}/).map((part, at) => (at % 2 === 1 ? given[part] : part));
}

function formOf(text: Text, count: number | undefined): string {
  const [one = "", many = one] = (table[keyOf(text)] ?? text).split(" | ");
  return count === undefined || plurals.select(count) === "one" ? one : many;
}

/** Reads everything anew in another language, which stays chosen on this device and stands in the link. */
export function speak(next: string): void {
  try {
    localStorage.setItem(KEY, next);
  } catch {
    // Storage refused (private window, policy): the link remembers it.
  }
  const address = new URL(location.href);
  address.searchParams.set("lang", next);
  location.replace(address);
}

function chosen(): Language {
  const wanted = [
    new URLSearchParams(globalThis.location?.search).get("lang"),
    stored(),
    ...(globalThis.navigator?.languages ?? []),
  ];
  const known = (name: string | null | undefined): Language | undefined =>
    (Object.keys(LANGUAGES) as Language[]).find((one) => one === name?.slice(0, 2).toLowerCase());
  return wanted.map(known).find((one) => one !== undefined) ?? "en";
}

function stored(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}
