/** The event types of an install with all that a plan says of them: from its database, or from a snapshot of its registry. */
import { Refusal } from "./errors.mjs";
import { databaseUrl, isInstalled, withDatabase } from "./database.mjs";
import { eventTypes, registryText } from "./registry.mjs";
import { registry as shipped } from "./shipped.mjs";

/** @typedef {import("./plan_schema.mjs").PlannedType & { active?: boolean }} Known */

const TYPES = `
select id, category, tier, score_weight::float8, daily_cap, withdraws_consent, description, payload_schema, active
from public.audience_event_types order by id collate "C"`;

/** @param {import("./command.mjs").Values} values @returns {Promise<{ types: Known[], snapshot: string }>} */
export async function plannedTypes(values) {
  const given = await registryText(values);
  const url = databaseUrl(values);
  if (given !== undefined || url === undefined) {
    const snapshot = given ?? shipped();
    return { types: eventTypes(snapshot), snapshot };
  }
  return await withDatabase(url, async (client) => {
    if (!await isInstalled(client)) {
      throw new Refusal(
        "the gate is not in the database of --db-url; run npx audience-gate init, and push its migrations",
      );
    }
    try {
      const { rows } = await client.query(TYPES);
      const { rows: [{ snapshot }] } = await client.query("select public.audience_registry()::text as snapshot");
      return { types: rows, snapshot };
    } catch (error) {
      throw new Refusal(
        `the registry cannot be read (${/** @type {{ code?: string }} */ (error).code}); use the owner of the database`,
      );
    }
  });
}
