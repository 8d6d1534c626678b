import { fileURLToPath } from "node:url";

export { denoBinary, packageCommand } from "../../local/programs.mjs";

/** The top of the repository. */
export const root = fileURLToPath(new URL("../../", import.meta.url));

/**
 * A function takes exactly the packages of its `deno.lock`. Its `deno.json` names no lock, because a deploy leaves the
 * file out, and a runtime that misses it would not start. The file has the format of the older Deno, which both read.
 */
export const LOCKED = ["--lock=deno.lock", "--frozen"];
