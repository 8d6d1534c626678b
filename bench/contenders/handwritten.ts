/** Contender: tuned hand-written TypeScript, no library. */
import { contender } from "./rows.ts";
import { violations } from "./rules.ts";

export default contender(violations);
