// The ES module: `import { createTracker } from ".../tracker.js"`.
import { createTracker as create } from "./tracker.ts";
import type { Tracker, TrackerOptions } from "./types.ts";

export const createTracker = (options: TrackerOptions): Tracker =>
  create({
    ...options,
    contract: options.contract ??
      new URL("./contract.js", import.meta.url).href,
  });
