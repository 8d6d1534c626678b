/** What a rule says is wrong and what to send instead: in the reader's language where it is there, else in English, which each has. */
import { el } from "../shared/dom.ts";
import { prose, sentence } from "../shared/prose.ts";
import { language } from "./texts.ts";

/** Texts by the ids of the contract's rules. */
export type Reasons = Readonly<Record<string, string>>;
const TABLES = {
  en: () => Promise.resolve({ default: {} }),
  de: () => import("./reasons/de.json"),
  fr: () => import("./reasons/fr.json"),
  es: () => import("./reasons/es.json"),
} as const;
let loading: Promise<Reasons> | undefined;

/** The contract's reasons in the reader's language, which are sent when one is first shown; of English none, as the contract has it. */
export function contractReasons(): Promise<Reasons> {
  return loading ??= TABLES[language]().then(({ default: reasons }) => reasons, (error: unknown) => {
    console.error(error);
    loading = undefined;
    return {};
  });
}

/** The reason of a rule of the contract. */
export function ofContract(rule: string, english: string, reasons: Reasons, tag: "p" | "span" = "p"): HTMLElement {
  return inWords(tag, reasons[rule], english);
}

/** The reason of a rule of the install's own, which has it in as many languages as its authors gave it. */
export function reasonText(reasons: object, english: string): HTMLElement {
  const own = Object.entries(reasons).find(([name, text]) =>
    name.toLowerCase() === language && typeof text === "string"
  )?.[1] as string | undefined;
  return inWords("p", own, english);
}

function inWords(tag: "p" | "span", own: string | undefined, english: string): HTMLElement {
  return el(tag, { lang: own === undefined ? "en" : language, translate: "no" }, prose(sentence(own ?? english)));
}
