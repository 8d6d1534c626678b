/**
 * Two sizes for one test. The short form keeps its promise within minutes and runs at every change; the long form runs
 * with `npm test -- --long`, every night, and whatever figure is reported was made with it.
 */
export const LONG = { AUDIENCE_GATE_LONG: "1", PROPTEST_CASES: "4096" };

const long = process.env.AUDIENCE_GATE_LONG === LONG.AUDIENCE_GATE_LONG;

/** @param {{ short: number, long: number }} sizes */
export const size = (sizes) => long ? sizes.long : sizes.short;
