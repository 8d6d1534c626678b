// Whether a program drives the browser: what it can say of itself, or what its name says.

export function automation(): "webdriver" | "headless" | "crawler" | undefined {
  const { userAgent, webdriver } = navigator;
  if (webdriver) return "webdriver";
  if (/headless|phantomjs|lighthouse|pagespeed/i.test(userAgent)) return "headless";
  // Names of crawlers end in these words; Cubot is a make of telephones.
  return /(?:^|[^u])bot\b|crawl|spider|slurp|facebookexternalhit/i.test(userAgent) ? "crawler" : undefined;
}
