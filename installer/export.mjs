import { writeFileSync } from "node:fs";
import process from "node:process";
import { say, text } from "./command.mjs";
import { DATABASE } from "./database.mjs";
import { Refusal, UsageError } from "./errors.mjs";
import { normal, planDocument } from "./plan_schema.mjs";
import { plannedTypes } from "./planned_types.mjs";
import { typesModule } from "./types.mjs";

/** @type {import("./command.mjs").Command} */
export const command = {
  help: `Usage: audience-gate export [OPTIONS]

Writes the plan of an install for version control: its active event types as one JSON Schema, by which any validator judges
their metadata as the gate does, or as TypeScript. The same plan gives the same bytes. import --plan json-schema takes it.

  --form FORM      schema or types; schema where it is not given
  --registry FROM  a file, the address of the function with /registry, or the word shipped, which it is where neither this nor
                   a database is given
  --out FILE       where to write it; to the terminal where it is not given
${DATABASE}
A database knows tier, score, cap and description of a type too, and a registry does not.
`,
  options: {
    form: { type: "string" },
    registry: { type: "string" },
    out: { type: "string" },
    "db-url": { type: "string" },
  },
  positionals: 0,
  run: async (values) => {
    const form = text(values, "form") ?? "schema";
    if (form !== "schema" && form !== "types") throw new UsageError(`--form is schema or types, not ${form}`);
    const all = (await plannedTypes(values)).types;
    const types = all.filter(({ active }) => active !== false).sort((a, b) => a.id < b.id ? -1 : 1)
      .map((type) => ({ ...type, payload_schema: normal(type.payload_schema) }));
    const source = form === "schema" ? planDocument(types) : typesModule(types);
    const out = text(values, "out");
    if (out === undefined) {
      process.stdout.write(source);
      return 0;
    }
    try {
      writeFileSync(out, source);
    } catch (error) {
      throw new Refusal(
        `${out} cannot be written (${/** @type {{ code?: string }} */ (error).code}); name another with --out`,
      );
    }
    say(`${types.length} event types are in ${out}.`);
    return 0;
  },
};
