/** The deployed function. */
import { text } from "./command.mjs";
import { UsageError } from "./errors.mjs";

export const SERVER = `  --url URL      the project's address, such as https://YOUR-REF.supabase.co
`;

/** Where the function answers. @param {import("./command.mjs").Values} values @param {string} name of the function */
export function serverUrl(values, name) {
  const url = text(values, "url");
  if (url === undefined) return undefined;
  if (!URL.canParse(url)) throw new UsageError("--url is not an address");
  return new URL(`/functions/v1/${name}`, url).href;
}

/** What the function answers to GET; undefined where it does not. @param {string} url */
export async function answer(url) {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(15_000), redirect: "error" });
    return { status: response.status, body: /** @type {Record<string, unknown>} */ (await response.json()) };
  } catch {
    return undefined;
  }
}

/** The fingerprint of the contract by which it judges. @param {string} server */
export async function deployedContract(server) {
  const got = await answer(`${server}/contract`);
  return got?.status === 200 && typeof got.body.fingerprint === "string" ? got.body.fingerprint : undefined;
}
