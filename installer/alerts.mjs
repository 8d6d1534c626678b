/** Has the function send the messages of alerts that are due: what a scheduler without pg_net calls every minute. */
import process from "node:process";
import { say, text } from "./command.mjs";
import { Refusal, UsageError } from "./errors.mjs";
import { FUNCTION } from "./project.mjs";
import { SERVER, serverUrl } from "./server.mjs";

/** @typedef {{ delivered: number, due: number, failed: number, results: { destination: string, type: string, problem: string | null,
 * status: number | null }[] }} Sent */

/** What each problem means, and what to do. @type {Readonly<Record<string, string>>} */
const PROBLEMS = {
  timeout: "did not answer in time",
  connection: "could not be reached; look at its address",
  status: "answered",
  redirect: "redirects, and no redirect is followed; add the destination again with its final address",
  address: "has an address that may not be told; delete it and add it with a public name over https",
  secret: "needs the function's secret AUDIENCE_GATE_ALERT_SECRET, and the function has none",
};

/** @type {import("./command.mjs").Command} */
export const command = {
  help: `Usage: audience-gate alerts [OPTIONS]

Has the function send the messages of alerts that are due: call it once a minute from a scheduler. AUDIENCE_GATE_KEY in the
environment is a secret key of the project. The exit code is 1 where a message did not arrive.

${SERVER}                 without it, AUDIENCE_GATE_URL is the address of the function
  --function NAME
                 what the function is called there, where that is not ingest
  --test         tells every destination first that this is a test
`,
  options: { url: { type: "string" }, function: { type: "string" }, test: { type: "boolean" } },
  positionals: 0,
  run: async (values) => {
    const { AUDIENCE_GATE_URL, AUDIENCE_GATE_KEY: key } = process.env;
    const server = serverUrl(values, text(values, "function") ?? FUNCTION) ?? AUDIENCE_GATE_URL;
    if (!server) throw new UsageError("it needs --url, or AUDIENCE_GATE_URL in the environment");
    if (!key) throw new UsageError("set AUDIENCE_GATE_KEY to a secret key of the project");
    const { delivered, due, failed, results } = await send(server, key, values.test === true);
    for (const { destination, type, problem, status } of results) {
      if (problem === null) say(`${destination}: ${type} arrived`);
      else {say(
          `${destination}: ${type} did not arrive: it ${PROBLEMS[problem] ?? problem}${
            problem === "status" ? ` ${status}` : ""
          }`,
        );}
    }
    say(`${delivered} delivered, ${due} due again, ${failed} given up`);
    return due + failed === 0 ? 0 : 1;
  },
};

/** @param {string} server @param {string} key @param {boolean} test @returns {Promise<Sent>} */
async function send(server, key, test) {
  /** @type {Response} */
  let response;
  try {
    response = await fetch(`${server}/alerts${test ? "?test=1" : ""}`, {
      method: "POST",
      headers: { apikey: key },
      redirect: "error",
      signal: AbortSignal.timeout(30_000),
    });
  } catch {
    throw new Refusal("the function cannot be reached; look at the address");
  }
  if (response.status === 401) {
    throw new Refusal("the function does not know the key; AUDIENCE_GATE_KEY is a secret key of the project");
  }
  if (response.status === 404) {
    throw new Refusal("the function is older than this package; run: npx audience-gate upgrade, and deploy it");
  }
  if (!response.ok) throw new Refusal(`the function answered ${response.status}; try again, and look at its log`);
  return await response.json();
}
