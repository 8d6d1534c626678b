// What of an address is recorded: paths without what only one visitor has, and no request that says where it comes from.
import assert from "node:assert/strict";
import { open, stage, until } from "./browser.mjs";

const scene = stage();
const UUID = "3f2504e0-4f89-41d3-9a0c-0305e82c3301";

/** Paths and what is recorded of them; the same, unless a second is given. @type {[path: string, recorded?: string][]} */
const PATHS = [
  ["/pricing/team"],
  ["/blog/2026/11/how-to-improve-your-conversion-rate-in-10-steps"],
  ["/blog/covid19vaccination/iphone15promaxcase"],
  ["/product/12345678"],
  ["/List_of_Presidents_of_the_United_States_2024"],
  ["/docs/internationalization"],
  ["/commit/0b1823df"],
  ["/reset-password/4f3c2a91d07be6588a41c9d2e5f60718", "/reset-password/:id"],
  ["/reset-password/4f3c2a91d07be6588a41c9d2e5f60718/confirm", "/reset-password/:id/confirm"],
  [`/orders/${UUID}/items`, "/orders/:id/items"],
  [`/orders/${UUID.replaceAll("-", "").toUpperCase()}`, "/orders/:id"],
  ["/invite/Zk3vQ9xLr7TbW2sYp8Hd", "/invite/:id"],
  ["/s/k3v9xr7tb2sy8hdq41mz", "/s/:id"],
  ["/jwt/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0NzExIn0.c2lnbmF0dXJlLW9mLWl0", "/jwt/:id"],
  ["/unsubscribe/canary.person@mail.example", "/unsubscribe/:id"],
  ["/unsubscribe/canary.person%40mail.example", "/unsubscribe/:id"],
];

scene("segments that only one visitor has are cut, and words are not", async ({ server, context }) => {
  const page = await open(context, server, { automatic: ["page_view"] });
  await until(() => server.rows.length === 1, "the first view is stored");
  assert.equal(server.rows[0].metadata.page_path, "/");
  const wrong = [];
  for (const [path, recorded = path] of PATHS) {
    const before = server.rows.length;
    // The tracker sees the move by itself, and records one view of it.
    await page.evaluate((to) => history.replaceState(null, "", to), path);
    await until(() => server.rows.length === before + 1, `${path} is recorded`);
    const found = server.rows.at(-1)?.metadata.page_path;
    if (found !== recorded) wrong.push(`${path} is recorded as ${found}`);
  }
  assert.deepEqual(wrong, []);
  assert.doesNotMatch(JSON.stringify([server.rows, server.reports]), /canary|4f3c2a91|Zk3vQ9/);
});

scene("a landing is cut too", async ({ server, context }) => {
  await open(context, server, { automatic: ["landing", "page_view"] }, `/invite/${UUID}`);
  await until(() => server.rows.length === 2, "the landing is stored");
  assert.deepEqual(server.rows.map(({ metadata }) => metadata.landing_page ?? metadata.page_path), [
    "/invite/:id",
    "/invite/:id",
  ]);
});

scene(
  "a site whose paths say nothing about visitors may keep them, or decide by itself",
  async ({ server, context }) => {
    await open(context, server, { automatic: ["page_view"], paths: "keep" }, `/shelf/${UUID}`);
    await until(() => server.rows.length === 1, "the view is stored");
    await context.addInitScript(() => {
      globalThis.configure = (config) => ({
        ...config,
        paths: (pathname) => pathname.split("/").slice(0, 2).join("/"),
      });
    });
    await open(context, server, { automatic: ["page_view"] }, "/customer/4711/orders");
    await until(() => server.rows.length === 2, "the other view is stored");
    assert.deepEqual(server.rows.map((row) => row.metadata.page_path), [`/shelf/${UUID}`, "/customer"]);
  },
);

scene("no request of the tracker says which page it comes from", async ({ server, context }) => {
  /** @type {[path: string, referrer: string | undefined][]} */
  const asked = [];
  context.on("request", async (request) => {
    const headers = await request.allHeaders();
    asked.push([new URL(request.url()).pathname, headers.referer]);
  });
  for (const endpoint of [server.endpoint, `${server.origin}/ingest`]) {
    const page = await open(context, server, {
      endpoint,
      automatic: ["page_view"],
      contract: undefined,
    }, `/reset/${UUID}`);
    await page.evaluate(() => globalThis.tracker.flush());
    await page.close({ runBeforeUnload: true });
  }
  await until(() => server.rows.length === 2, "both views are stored");
  const told = asked.filter(([path, referrer]) => /ingest|\.wasm$/.test(path) && referrer);
  assert.deepEqual(told, []);
  assert.ok(asked.some(([path]) => path.endsWith("/registry")) && asked.some(([path]) => path.endsWith(".wasm")));
  // The function decides by the origin, which a page still tells.
  assert.deepEqual([...new Set(server.requests.map(({ headers }) => headers.origin))], [server.origin]);
});
