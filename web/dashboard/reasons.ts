/** What a rule of the install's own says to send instead: in the reader's language where it does, else in English, which each has. */
import { el } from "../shared/dom.ts";
import { prose, sentence } from "../shared/prose.ts";
import { language } from "./texts.ts";

export function reasonText(reasons: object, english: string): HTMLElement {
  const own = Object.entries(reasons).find(([name, text]) =>
    name.toLowerCase() === language && typeof text === "string"
  )?.[1] as string | undefined;
  return el("p", { lang: own === undefined ? "en" : language, translate: "no" }, prose(sentence(own ?? english)));
}
