/**
 * Two sizes for one test. The short form proves its promise within minutes and runs at every change; the long form runs
 * with `npm test -- --long`, every night, and any figure that is reported comes from it.
 */
export const LONG = { AUDIENCE_GATE_LONG: "1", PROPTEST_CASES: "4096" };

const long = process.env.AUDIENCE_GATE_LONG === LONG.AUDIENCE_GATE_LONG;

/** @template T @param {{ short: T, long: T }} sizes */
export const size = (sizes) => long ? sizes.long : sizes.short;
