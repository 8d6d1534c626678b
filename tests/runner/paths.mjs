import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const require = createRequire(import.meta.url);

/** The top of the repository. */
export const root = fileURLToPath(new URL("../../", import.meta.url));

/**
 * The real Deno binary of an npm package, not its Node wrapper: a signal sent to the wrapper would not reach Deno.
 *
 * @param {"deno" | "deno-hosted"} name `deno-hosted` is the level that hosted Edge Functions run at
 */
export function denoBinary(name) {
  const folder = join(root, "node_modules", name);
  const binary = join(
    folder,
    process.platform === "win32" ? "deno.exe" : "deno",
  );
  // Without its install script (npm 11 asks for approval) the package unpacks its binary on first use.
  return existsSync(binary) ? binary : require(join(folder, "install_api.cjs")).runInstall();
}
