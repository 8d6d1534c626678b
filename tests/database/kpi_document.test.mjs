/** KPI.md says what the comments in the database say. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { kpiDocument } from "../../build/kpi.mjs";
import { openDatabase } from "../../local/database.mjs";
import { begun } from "../stack/beginning.mjs";
import { temporaryFolder } from "../stack/launch.mjs";

test("KPI.md is current: every figure has its definition, grain, time zone and columns", async (t) => {
  const folder = temporaryFolder(t);
  await begun(folder);
  const database = await openDatabase({ folder });
  try {
    const wanted = await kpiDocument((sql) => database.query(sql));
    const found = readFileSync(new URL("../../KPI.md", import.meta.url), "utf8");
    assert.equal(found, wanted, "run `node build/kpi.mjs`");
  } finally {
    await database.close();
  }
});
