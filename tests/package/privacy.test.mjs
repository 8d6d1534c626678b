/** What the privacy rules find and what they refuse for nothing, on a tenth of what `npm run bench:privacy` measures. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { missed } from "../../bench/privacy/bars.mjs";
import { corpora } from "../../bench/privacy/corpora.mjs";
import { measure } from "../../bench/privacy/measure.mjs";

test("personal values are found and replaced, and honest events are not refused", (t) => {
  const { personal, harmless } = corpora({ few: true });
  const [found, refused] = [measure(personal, "personal"), measure(harmless, "harmless")];
  for (const { group, name, wrong } of [...found, ...refused].filter(({ wrong }) => wrong.length > 0)) {
    t.diagnostic(`${group}, ${name}: ${wrong.length}, for example ${wrong[0]}`);
  }
  assert.deepEqual(missed(found, refused), []);
});
