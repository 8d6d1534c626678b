import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The top of the repository. */
export const root = fileURLToPath(new URL("../", import.meta.url));

/** Where the local stack keeps everything; ignored by git, removed by `--reset`. */
export const defaultFolder = join(root, ".local");

export const defaultPort = 54321;

/** The keys of every `supabase start`: everybody knows them, and they only work on this machine. */
export const publishableKey = "sb_publishable_ACJWlzQHlZjBrEguHvfOxg_3BJgxAaH";
export const secretKey = "sb_secret_N7UND0UgjKTVK-Uodkm0Hg_xSvEMPvz";

/** Signs the local user tokens; the same well-known value as in `supabase start`. */
export const jwtSecret = "super-secret-jwt-token-with-at-least-32-characters-long";

/** Signs what receivers on this machine are told of alerts. */
export const alertSecret = "alert-secret-of-the-local-stack-with-at-least-32-characters";

/** Signs in on the local dashboard. */
export const demoUser = {
  email: "demo@example.test",
  password: "demo-password",
};
