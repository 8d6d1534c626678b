// A page view: how long it was really visible, how far the visitor scrolled, and when that makes an event.

import { holdsAddress } from "./guard.ts";
import type { Content } from "./types.ts";

type Measure = { duration_seconds: number; scroll_depth_percent?: number };

function createMeter() {
  let shown = 0;
  let since: number | undefined;
  let depth: number | undefined;

  const follow = () => {
    const now = performance.now();
    if (since !== undefined) shown += now - since;
    since = document.visibilityState === "visible" ? now : undefined;
  };
  addEventListener("scroll", () => {
    const { scrollHeight, clientHeight } = document.documentElement;
    // A page that fits on the screen has no depth to show; what was visible from the start counts once the visitor scrolls.
    if (scrollHeight > clientHeight) {
      depth = Math.max(depth ?? 0, Math.min(100, Math.round(((scrollY + clientHeight) / scrollHeight) * 100)));
    }
  }, { passive: true });
  document.addEventListener("visibilitychange", follow);

  return {
    measure(): Measure {
      follow();
      return {
        duration_seconds: Math.round(shown / 100) / 10,
        ...(depth !== undefined && { scroll_depth_percent: depth }),
      };
    },
    restart() {
      since = undefined;
      follow();
      shown = 0;
      depth = undefined;
    },
  };
}

export type Views = {
  begin(content?: Content): void;
  /** Records the view if it is long enough by now; each page counts once. */
  end(): void;
  /** The server found it too short, but it may still grow. */
  reopen(id: string): void;
  path(): string | undefined;
  /** The address has changed since the view began. */
  moved(): boolean;
};

/** `record` says under which id the view was queued, or undefined when the contract found it too short. */
export function createViews(
  path: () => string,
  record: (metadata: Content & Measure) => string | undefined,
): Views {
  let meter: ReturnType<typeof createMeter> | undefined;
  let content: Content = {};
  let recorded: string | undefined;
  let address: string | undefined;
  return {
    begin(next = {}) {
      address = location.pathname;
      content = { page_path: path(), ...next };
      recorded = undefined;
      meter ??= createMeter();
      meter.restart();
    },
    end() {
      if (meter) recorded ??= record({ ...content, ...meter.measure() });
    },
    reopen(id) {
      if (recorded === id) recorded = undefined;
    },
    path: () => content.page_path,
    moved: () => address !== undefined && address !== location.pathname,
  };
}

const UUID = /^[\da-f]{8}-?(?:[\da-f]{4}-?){3}[\da-f]{12}$/i;
const HEX = /^[\da-f]{16,}$/i;

/** Sixteen letters and digits without a break that change their kind three times: no word does, and few tokens do not. */
const isToken = (run: string): boolean =>
  run.length >= 16 && /\d/.test(run) && (run.match(/\d+|[a-z]+|[A-Z]+/g) ?? []).length > 3;

/** Whether a segment of a path is there for one visitor only: a token, a key, an id that nobody could guess, an address. */
const isPrivate = (segment: string): boolean =>
  UUID.test(segment) || HEX.test(segment) || segment.split(/[^a-z\d]+/i).some(isToken) || holdsAddress(segment);

/** A path of the page with such segments cut to `:id`. */
export const cut = (path: string): string =>
  path.split("/").map((segment) => (isPrivate(segment) ? ":id" : segment)).join("/");
