// What a page reports by itself: views that were really seen, and the one-line script.
import assert from "node:assert/strict";
import { later, log, movableClock, open, stage, track, until, used } from "./browser.mjs";

const scene = stage();

scene(
  "content_view measures what was seen: visible seconds and real scrolling",
  async ({ server, context }) => {
    await movableClock(context);
    const page = await open(context, server, {
      automatic: ["content_view"],
      flushInterval: 60_000,
    }, "/long-read");
    await page.mouse.wheel(0, 1500);
    await page.waitForFunction(() => scrollY > 1000);
    await later(page, 1200);
    // Hidden time does not count.
    await page.evaluate(() => {
      Object.defineProperty(document, "visibilityState", {
        value: "hidden",
        configurable: true,
      });
      document.dispatchEvent(new Event("visibilitychange"));
    });
    await until(() => server.rows.length === 1, "the view is stored");
    const { event_type, metadata } = server.rows[0];
    assert.equal(event_type, "content_view");
    assert.equal(metadata.page_path, "/long-read");
    assert.ok(
      metadata.duration_seconds >= 1.2 && metadata.duration_seconds < 8,
      `${metadata.duration_seconds} s`,
    );
    assert.ok(
      metadata.scroll_depth_percent >= 40 && metadata.scroll_depth_percent < 70,
      `${metadata.scroll_depth_percent} %`,
    );
    await page.close({ runBeforeUnload: true });
    const next = await open(context, server);
    await track(next, used(1));
    await until(() => server.rows.length > 1, "the next page's event is stored");
    assert.deepEqual(server.rows.map((row) => row.event_type), ["content_view", "feature_used"], "one view a page");
  },
);

scene(
  "each page of a single-page application is a view of its own",
  async ({ server, context }) => {
    const page = await open(context, server, {
      automatic: ["page_view", "content_view"],
    }, "/one");
    await page.evaluate(() => history.pushState({}, "", "/two"));
    await until(
      () => server.rows.some((row) => row.event_type === "page_view" && row.metadata.page_path === "/two"),
      "the second view",
    );
    const views = server.rows.filter((row) => row.event_type === "content_view");
    assert.deepEqual(
      views.map((row) => row.metadata.page_path),
      ["/one"],
    );
  },
);

scene(
  "the one-line script: attributes, calls made before it loaded, verdicts as events",
  async ({ server, context }) => {
    // The endpoint is known only once the server listens.
    server.script(
      `data-endpoint="${server.endpoint}" data-key="sb_publishable_test" data-consent="granted" data-automatic="page_view" data-source="blog" data-contract="off"`,
    );
    const page = await context.newPage();
    await page.goto(`${server.origin}/post`);
    await until(
      () => server.rows.length === 2,
      "the early call and the page view are stored",
    );
    assert.deepEqual(server.rows.map((row) => row.event_type).sort(), [
      "feature_used",
      "page_view",
    ]);
    assert.deepEqual([...new Set(server.rows.map((row) => row.event_source))], [
      "blog",
    ]);
    await until(async () => (await log(page)).length === 2, "two verdicts");
  },
  { script: true },
);
