import { fileURLToPath } from "node:url";

export { denoBinary, packageCommand } from "../../local/programs.mjs";

/** The top of the repository. */
export const root = fileURLToPath(new URL("../../", import.meta.url));
