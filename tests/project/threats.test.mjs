// SECURITY.md says of each attack which tests show that it fails; a test that was renamed or removed is noticed here.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { root } from "../runner/paths.mjs";

/** Names in quotation marks, with the file that the next link leads to. */
const SHOWN = /((?:"[^"]+"(?:,? and |, )?)+) \(\[[^\]]+\]\(([^)]+)\)\)/g;

/** How the name of a test stands in the source: in any kind of quotation marks, or as that of a function. */
const stands = (/** @type {string} */ source, /** @type {string} */ name) =>
  [`"${name}"`, `'${name}'`, `\`${name}\``, `fn ${name}(`, `def ${name}(`].some((form) => source.includes(form));

test("every test that SECURITY.md names is in the file that it links to", () => {
  const rows = readFileSync(join(root, "SECURITY.md"), "utf8").split("\n").filter((line) =>
    /^\| (?!who |-)/.test(line)
  );
  assert.ok(rows.length > 10, `${rows.length} attacks are listed`);
  const wrong = rows.flatMap((row) => {
    const shown = [...row.matchAll(SHOWN)];
    if (shown.length === 0) return [`no test is named: ${row.slice(0, 80)}`];
    return shown.flatMap(([, names, path]) => {
      if (!existsSync(join(root, path))) return [`${path} is not there`];
      const source = readFileSync(join(root, path), "utf8");
      return [...names.matchAll(/"([^"]+)"/g)].filter(([, name]) => !stands(source, name)).map(([, name]) =>
        `${path} has no "${name}"`
      );
    });
  });
  assert.deepEqual(wrong, []);
});
