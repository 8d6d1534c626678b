/** The address of the page: it holds what is shown, so that every view can be saved and sent. Nobody's name is in it. */

/** What stays when the reader goes from one view to another, whether the view can follow it or not. */
const KEPT = [
  ...["site", "days", "from", "to", "since", "until", "zone", "tier", "compare", "releases", "lang"],
  ...["campaign", "utm_source", "utm_medium", "referrer", "page", "device", "type"],
];

/** Told to the page when the address changes while the view stays. */
export const ADDRESS_CHANGED = "addresschange";

export function asked(name: string): string {
  return new URLSearchParams(location.search).get(name) ?? "";
}

/** The address of a view with these words; what is empty is left out. */
export function addressOf(words: Readonly<Record<string, string>>): string {
  const next = new URLSearchParams();
  const now = new URLSearchParams(location.search);
  for (const name of KEPT) {
    const value = now.get(name);
    if (value) next.set(name, value);
  }
  for (const [name, value] of Object.entries(words)) {
    if (value === "") next.delete(name);
    else next.set(name, value);
  }
  return `?${next}`;
}

/** Goes to an address of this page, as a link of it does. */
export function go(address: string): void {
  history.pushState(null, "", address);
  dispatchEvent(new PopStateEvent("popstate"));
}

/** Changes words of the address while the view stays; what is empty is left out. */
export function keep(words: Readonly<Record<string, string>>): void {
  const next = new URL(location.href);
  for (const [name, value] of Object.entries(words)) {
    if (value === "") next.searchParams.delete(name);
    else next.searchParams.set(name, value);
  }
  history.replaceState(null, "", next);
  dispatchEvent(new Event(ADDRESS_CHANGED));
}

/** Links inside the page change the view without loading it anew; with a modifier key they open as links do. */
export function followLinks(): void {
  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest<HTMLAnchorElement>("a[data-view]") : null;
    if (!link || event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) {
      return;
    }
    event.preventDefault();
    go(link.href);
  });
}
