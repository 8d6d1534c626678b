/** The SQL that brings rows into the registry, as it is shown and as it is run. */

/** @typedef {import("./import_rows.mjs").Change} Change */
/** @typedef {import("./plan_schema.mjs").PlannedType} PlannedType */

/** @param {string} text */
const literal = (text) => `'${text.replaceAll("'", "''")}'`;

/** What a row holds where a plan does not say it. @type {Partial<PlannedType>} */
const USUAL = { tier: "consumer", score_weight: 0, daily_cap: 10, withdraws_consent: false };
const COLUMNS = /** @type {const} */ ([
  "id",
  "category",
  "tier",
  "score_weight",
  "daily_cap",
  "withdraws_consent",
  "description",
  "payload_schema",
]);

/** @param {unknown} value @returns {string} */
function written(value) {
  if (value === null) return "null";
  return typeof value === "object"
    ? literal(JSON.stringify(value))
    : typeof value === "string"
    ? literal(value)
    : String(value);
}

/** @param {Change[]} changes @param {string} format of the plan */
export function sqlOf(changes, format) {
  const inserted = changes.filter(({ does }) => does === "insert").map(({ row }) => row);
  const replaced = changes.filter(({ does }) => does === "replace").map(({ row }) => row);
  const values = inserted.map((row) => {
    const whole = { description: row.id, ...USUAL, ...row };
    return `  (${COLUMNS.map((column) => written(whole[column] ?? null)).join(", ")})`;
  });
  return [
    `-- Written by \`audience-gate import --plan ${format}\`: event types for the registry.`,
    "begin;",
    `select public.lifecycle_note('from a tracking plan (${format})');`,
    ...values.length === 0 ? [] : [
      `insert into public.audience_event_types (${COLUMNS.join(", ")})`,
      "values",
      values.join(",\n"),
      "on conflict (id) do nothing;",
    ],
    ...replaced.map(({ id, ...row }) => {
      const said = COLUMNS.filter((column) => column !== "id" && row[column] !== undefined);
      const set = said.map((column) => `${column} = ${written(row[/** @type {keyof typeof row} */ (column)])}`);
      return `update public.audience_event_types set ${[...set, "active = true"].join(", ")}\nwhere id = ${
        literal(id)
      };`;
    }),
    "commit;",
    "",
  ].join("\n");
}
