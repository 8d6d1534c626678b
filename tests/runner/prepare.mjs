import { Progress } from "../../local/progress.mjs";
import { ensure } from "./system.mjs";

/** Makes sure that everything needed is there, or ends the process with the reason. @param {import("./system.mjs").Need[]} needs */
export async function prepare(needs) {
  const progress = new Progress();
  try {
    await ensure(needs, progress);
  } catch (error) {
    progress.end();
    console.error(/** @type {Error} */ (error).message);
    process.exit(2);
  }
  progress.end();
}
