/** The levels of Node that package.json's `engines` names. An old Node has to be able to read this file. */
import { readFileSync } from "node:fs";

/** Ends the process with the reason if this Node is too old. */
export function refuseOldNode() {
  const { engines } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  if (satisfies(process.versions.node, engines.node)) return;
  console.error(
    `audience-gate needs Node ${engines.node}; this is ${process.version}. ` +
      "Node 24 is the one to get: https://nodejs.org",
  );
  process.exit(1);
}

/**
 * Understands what `engines` is written in here: `^20.19.0 || >=22.12.0`.
 *
 * @param {string} version @param {string} range
 */
export function satisfies(version, range) {
  const [major, minor] = version.split(".").map(Number);
  return range.split("||").some((part) => {
    const [, sign, wantedMajor, wantedMinor] = /^\s*(\^|>=)(\d+)\.(\d+)/.exec(part) ?? [];
    const newer = major > Number(wantedMajor) && sign === ">=";
    return newer || (major === Number(wantedMajor) && minor >= Number(wantedMinor));
  });
}
