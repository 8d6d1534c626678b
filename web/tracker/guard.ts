// What keeps raw e-mail addresses in the page where the contract's own finder may not run. It follows that finder step by
// step (src/privacy/plain.rs and email.rs), and a test compares the two.

const ENTITIES: readonly [RegExp, string][] = [
  [/&(?:amp;)+/g, "&"],
  [/&(?:commat|#0?64|#[xX]40);/g, "@"],
  [/&(?:period|#46|#[xX]2[eE]);/g, "."],
  [/&(?:plus|#43|#[xX]2[bB]);/g, "+"],
  [/&(?:quot|#34);/g, '"'],
  [/&(?:lt|gt|nbsp|#160);/g, " "],
  [/%(?:25)+/g, "%"],
  [/%c2%a0/gi, " "],
  [/%ef%bc%a0|%40/gi, "@"],
  [/%2e/gi, "."],
  [/%2d|%e2%80%93/gi, "-"],
  [/%2b/gi, "+"],
  [/%22/g, '"'],
  [/%(?:2[068c9f]|3[acdef])/gi, " "],
];
// Characters that look like those of ASCII, and some that are not seen at all.
const LOOK_ALIKES: readonly [RegExp, (found: string) => string][] = [
  [/[\u{ff01}-\u{ff5e}]/gu, (wide) => String.fromCharCode(wide.charCodeAt(0) - 0xfee0)],
  [/[\u{660}-\u{669}\u{6f0}-\u{6f9}]/gu, (digit) => String(digit.charCodeAt(0) & 15)],
  [/[\u{a0}\u{2000}-\u{200a}\u{202f}\u{205f}\u{3000}]/gu, () => " "],
  [/[\u{2010}-\u{2015}\u{2212}]/gu, () => "-"],
  [/\u{fe6b}/gu, () => "@"],
  [/[\u{3002}\u{ff61}]/gu, () => "."],
  [/[\u{ad}\u{200b}-\u{200d}\u{2060}\u{feff}]/gu, () => ""],
];
/** What ends a local part, quoted or not, an at sign, and what may be a domain. */
const SIGN = /[\w.!$'*+^`{|}~\u{80}-\u{10ffff}-]"?@(?=([a-z\d.\u{80}-\u{10ffff}-]*))/giu;
const FILE =
  /(?:^|\.)(?:png|jpe?g|gif|webp|svg|avif|ico|bmp|css|[mc]?js|jsx|tsx?|json|html?|php|pdf|xml|txt|csv|mp[34]|webm|woff2?|ttf|wasm)\.*$/i;

const isDomain = (text: string): boolean => {
  // Two dots end it.
  const labels = text.split(".");
  const end = labels.indexOf("");
  const [first = "", ...rest] = end < 0 ? labels : labels.slice(0, end);
  const isVersion = /^v?\d+$/i.test(first) && /^\d/.test(rest[0] ?? "");
  return rest.some((label) => /^[a-z\u{80}-\u{10ffff}]./iu.test(label)) && !isVersion && !FILE.test(text);
};

/** Whether a text holds a raw e-mail address, in whatever disguise. */
export function holdsAddress(text: string): boolean {
  for (const [sought, meant] of LOOK_ALIKES) text = text.replace(sought, meant);
  for (const [sought, meant] of ENTITIES) text = text.replace(sought, meant);
  return [...text.matchAll(SIGN)].some(([, domain = ""]) => isDomain(domain));
}

/** Whether any key or text of an event does. */
export function anyHoldsAddress(event: string): boolean {
  let found = false;
  JSON.parse(event, (key, value) => {
    found ||= holdsAddress(key) || (typeof value === "string" && holdsAddress(value));
    return value;
  });
  return found;
}
