// The headers that keep a page to itself: as the local server sends them, and as the deploy guide has them for other hosts.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { page } from "../../local/pages.mjs";
import { pageHeaders } from "../../web/shared/headers.mjs";

test("the local server sends them with every page, file and miss", () => {
  const addresses = ["/", "/rules.html", "/dashboard/", "/demo/", "/tracker/tracker.js", "/nowhere", "/%"];
  const bare = addresses.filter((address) => {
    const { headers } = page(address);
    return Object.entries(pageHeaders()).some(([name, value]) => headers[name] !== value);
  });
  assert.deepEqual(bare, []);
});

test("the deploy guide has the same, for a page that reads a project of its own", async () => {
  const guide = await readFile(new URL("../../DEPLOY.md", import.meta.url), "utf8");
  const block = /```\n\/\*\n([^]*?)```/.exec(guide)?.[1] ?? "";
  const told = Object.fromEntries(
    block.trim().split("\n").map((line) => /^ *([\w-]+): (.*)$/.exec(line)?.slice(1) ?? []),
  );
  assert.deepEqual(told, pageHeaders("https://YOUR-REF.supabase.co"));
});
