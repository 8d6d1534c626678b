// The globals of the tests' own pages, for the functions of a test that run in them.
import type { AxeResults } from "axe-core";
import type { Tracker, TrackerOptions, User, Violation } from "../../web/tracker/types.ts";

declare global {
  /** One line for each thing that the tracker told the page. */
  type Told = {
    kind: "accept" | "reject" | "drop" | "error";
    id?: string;
    by?: "browser" | "server";
    reason?: string;
    violations?: Violation[];
  };

  var tracker: Tracker;
  var config: Partial<TrackerOptions>;
  var configure: ((config: TrackerOptions) => TrackerOptions) | undefined;
  var log: Told[];
  var person: User | null;
  /** What the page has ever written to its storage. */
  var written: string[];
  /** Ids that the function already knew. */
  var replayed: string[];
  /** The modules of `web/dashboard/charts/`, each with a function that draws. */
  var charts: Record<string, Record<string, (rows: unknown, how: unknown) => HTMLElement>>;
  var axe: { run(root: Document, options: object): Promise<AxeResults> };
}
