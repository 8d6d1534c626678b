#!/usr/bin/env node
/**
 * Every test of this repository: `npm test`, or `npm test -- NAME…` for the suites whose names contain a word given.
 * `npm run check` runs the checks instead: formats, lints, types, SQL; with `-- --fix` it writes the formats.
 */
import { refuseOldNode } from "../local/node.mjs";

refuseOldNode();
const { main } = await import("./runner/main.mjs");
await main(process.argv.slice(2));
