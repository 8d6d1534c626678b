import { createReadStream } from "node:fs";
import process from "node:process";
import { check, loadRegistry } from "audience-gate/inline";
import { say, text } from "./command.mjs";
import { Refusal, UsageError } from "./errors.mjs";
import { registryText } from "./registry.mjs";

/** @type {import("./command.mjs").Command} */
export const command = {
  help: `Usage: audience-gate check FILE|- [OPTIONS]

Judges events, one JSON text a line, as the function would those of a back end. - reads what is piped into it. The exit code is 1
where an event is rejected.

  --registry FROM  a file, the address of the function with /registry, or the word shipped; without one, the rules that need a
                   registry are not judged
  --format json    writes one line of JSON for each event
`,
  options: { registry: { type: "string" }, format: { type: "string" } },
  positionals: 1,
  run: async (values, [file]) => {
    const format = text(values, "format") ?? "text";
    if (format !== "text" && format !== "json") throw new UsageError(`--format is text or json, not ${format}`);
    const registry = await registryText(values);
    if (registry !== undefined) load(registry);
    const count = { accepted: 0, rejected: 0 };
    let line = 0;
    for await (const bytes of linesOf(file)) {
      line += 1;
      if (bytes.toString("latin1").trim() === "") continue;
      const verdict = check(bytes, undefined, { caller: "trusted", receivedAt: Date.now() });
      count[verdict.accepted ? "accepted" : "rejected"] += 1;
      if (format === "json") say(JSON.stringify({ line, registry: registry !== undefined, ...verdict }));
      else {for (const { rule_id, path, reason } of verdict.violations) {
          say(`line ${line}: ${rule_id} at ${path || "/"}: ${reason}`);
        }}
    }
    if (format === "text") {
      say(`${count.accepted} accepted, ${count.rejected} rejected`);
      if (registry === undefined) {
        say(
          "Judged without a registry: event types, their categories and payloads were not. Give --registry to judge them too.",
        );
      }
    }
    return count.rejected > 0 ? 1 : 0;
  },
};

/** @param {string} registry */
function load(registry) {
  try {
    loadRegistry(registry);
  } catch (error) {
    throw new Refusal(`the registry cannot be used: ${/** @type {Error} */ (error).message}`);
  }
}

/** As bytes, because only the contract says what text is. @param {string} file */
async function* linesOf(file) {
  let rest = Buffer.alloc(0);
  try {
    for await (const chunk of file === "-" ? process.stdin : createReadStream(file)) {
      const bytes = Buffer.concat([rest, chunk]);
      let start = 0;
      for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, start)) {
        yield bytes.subarray(start, end);
        start = end + 1;
      }
      rest = bytes.subarray(start);
    }
  } catch (error) {
    const { code } = /** @type {{ code?: string }} */ (error);
    throw code === undefined ? error : new UsageError(`${file} cannot be read (${code})`);
  }
  if (rest.length > 0) yield rest;
}
