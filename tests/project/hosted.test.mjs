/** Another system reads the hosted workflow and the forms for issues; this tests that they are in its terms. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { root } from "../runner/paths.mjs";

/** @typedef {{ run?: string, uses?: string }} Step */
/** @typedef {{ id?: string, type: string, attributes: { label?: string, value?: string, options?: string[] } }} Field */

const read = (/** @type {string} */ path) => readFileSync(join(root, ".github", path), "utf8");

test("the hosted workflow runs .ci/run, every night in the long form, and no check of its own", () => {
  const { on, jobs } = /** @type {{ on: Record<string, unknown>, jobs: Record<string, { steps: Step[] }> }} */ (
    parse(read("workflows/ci.yml"))
  );
  assert.ok("pull_request" in on && "push" in on && "schedule" in on);
  const commands = jobs.test.steps.flatMap(({ run }) => run ?? []);
  assert.match(commands.at(-1) ?? "", /^bash \.ci\/run .*'schedule'.*'--long'/);
  assert.ok(!commands.some((command) => /cargo test|npm (test|run|ci)|deno/.test(command)), commands.join("\n"));
  assert.ok(existsSync(join(root, ".ci/run")));
  const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const asked = jobs.advisories.steps.flatMap(({ run }) => /^npm run ([\w:]+)$/.exec(run ?? "")?.[1] ?? []);
  assert.deepEqual(asked.filter((name) => !(name in scripts)), []);
});

test("every form for an issue has fields with a name, a label and choices", () => {
  const forms = readdirSync(join(root, ".github/ISSUE_TEMPLATE")).filter((name) => name !== "config.yml");
  assert.ok(forms.length > 0);
  const wrong = forms.flatMap((name) => {
    const { name: title, description, body } = /** @type {{ name: string, description: string, body: Field[] }} */ (
      parse(read(`ISSUE_TEMPLATE/${name}`))
    );
    const fields = body.filter(({ type }) => type !== "markdown");
    const ids = new Set(fields.map(({ id }) => id));
    return [
      ...title && description ? [] : [`${name} lacks its name or description`],
      ...ids.size === fields.length ? [] : [`${name} names a field twice`],
      ...fields.filter(({ id, attributes }) => !id || !attributes.label).map(({ type }) =>
        `${name}: a ${type} without a name`
      ),
      ...fields.filter(({ type, attributes }) => type === "dropdown" && !attributes.options?.length)
        .map(({ id }) => `${name}: ${id} has no choices`),
    ];
  });
  assert.deepEqual(wrong, []);
});
