/** What the guides say is done in a project, to the letter: its types are right, its pages and servers run, its events arrive. */
import assert from "node:assert/strict";
import { execFile, execFileSync, spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import process from "node:process";
import { promisify } from "node:util";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { startStack } from "../../local/stack.mjs";
import { publishableKey, secretKey } from "../../local/settings.mjs";
import { hashEmail } from "../../pkg/inline.js";
import { launch } from "../browser/pages.mjs";
import { begun } from "../stack/beginning.mjs";
import { freePort } from "../stack/launch.mjs";
import { packageCommand, root } from "../runner/paths.mjs";
import { until } from "../until.mjs";
import { base, filesOf, inProject, serve } from "./guides.mjs";

/** @type {import("../../local/stack.mjs").Stack} */
let stack;
/** @type {string} */
let url;
before(async () => {
  await begun(join(base, "stack"));
  stack = await startStack({ folder: join(base, "stack"), port: await freePort(), demo: false, pages: false });
  url = `${stack.url}/functions/v1/ingest`;
});
after(() => stack?.close());

const environment = () => ({ ...process.env, AUDIENCE_GATE_URL: url, AUDIENCE_GATE_KEY: secretKey });
const ADDRESS = "ada@example.org";

/** Waits for the accepted events of a session. @param {string} session @param {string[]} types */
const arrived = (session, types) =>
  until(async () => {
    const { rows } = await stack.database.query(
      `select event_type, rejected, metadata ->> 'email_hash' as hash from public.audience_events where session_id = $1`,
      [session],
    );
    const seen = /** @type {{ event_type: string, rejected: boolean, hash: string | null }[]} */ (rows);
    const right = seen.every(({ rejected, hash }) => !rejected && (hash === null || hash === hashEmail(ADDRESS)));
    return right && `${seen.map(({ event_type }) => event_type).sort()}` === `${types}` || seen;
  }, `${types} are recorded`);

/** A page view is recorded of a page whose visitor has agreed. @param {string} folder with `index.html` @param {(page: import("playwright-core").Page) => Promise<unknown>} agree */
async function visited(folder, agree) {
  const path = `/visit-${randomUUID().slice(0, 4)}`;
  const served = await serve(folder);
  const browser = await launch();
  try {
    const page = await browser.newPage();
    await page.goto(served.url + path);
    await agree(page);
    const views =
      "select 1 from public.audience_events where event_type = 'page_view' and metadata ->> 'page_path' = $1";
    await until(
      async () => (await stack.database.query(views, [path])).rows.length === 1,
      `a page view of ${path} is recorded`,
      60,
    );
  } finally {
    await browser.close();
    served.close();
  }
}

for (
  const { guide, publics, route, given, more } of [
    {
      guide: "nextjs",
      publics: "public",
      route: "app/api/newsletter/route.ts",
      given: (/** @type {Request} */ request) => request,
      more: ["lib/tracker.ts", "instrumentation-client.ts"],
    },
    {
      guide: "sveltekit",
      publics: "static",
      route: "src/routes/newsletter/+server.ts",
      given: (/** @type {Request} */ request) => ({ request }),
      more: ["src/lib/tracker.ts", "src/hooks.client.ts"],
    },
  ]
) {
  test(`${guide}.md: its types are right, its page counts once the visitor agrees, its server sends`, async () => {
    const folder = inProject(guide, { queue: join(base, `${guide}-queue`), url, key: publishableKey });
    const [node, tsc] = packageCommand("typescript", "tsc");
    const { status, stdout } = spawnSync(node, [tsc, "-p", folder], { encoding: "utf8" });
    assert.equal(status, 0, stdout);

    const [tracker, start] = more;
    mkdirSync(join(folder, publics), { recursive: true });
    cpSync(join(base, "node_modules/audience-gate/tracker"), join(folder, publics, "audience-gate"), {
      recursive: true,
    });
    writeFileSync(
      join(folder, "page.ts"),
      `import "./${start}"; import { tracker } from "./${tracker}"; Object.assign(globalThis, { tracker });`,
    );
    const bundled = { bundle: true, format: /** @type {const} */ ("esm"), absWorkingDir: folder };
    const define = {
      "process.env.NEXT_PUBLIC_AUDIENCE_GATE_URL": JSON.stringify(url),
      "process.env.NEXT_PUBLIC_AUDIENCE_GATE_KEY": JSON.stringify(publishableKey),
    };
    await build({ ...bundled, define, entryPoints: ["page.ts"], outfile: join(folder, publics, "page.js") });
    writeFileSync(join(folder, publics, "index.html"), '<!doctype html><script type="module" src="/page.js"></script>');
    await visited(
      join(folder, publics),
      (page) => page.waitForFunction("globalThis.tracker").then(() => page.evaluate("tracker.consent('granted')")),
    );

    await build({ ...bundled, platform: "node", entryPoints: [route], outfile: join(folder, "route.mjs") });
    const session = `session-${randomUUID()}`;
    Object.assign(process.env, environment());
    const { POST } = await import(pathToFileURL(join(folder, "route.mjs")).href);
    const body = JSON.stringify({ email: ADDRESS, visit: session });
    const response = await POST(given(new Request("http://shop.example/", { method: "POST", body })));
    assert.deepEqual(await response.json(), { subscribed: true });
    if (guide === "sveltekit") {
      await build({
        ...bundled,
        platform: "node",
        entryPoints: ["src/hooks.server.ts"],
        outfile: join(folder, "hooks.mjs"),
      });
      (await import(pathToFileURL(join(folder, "hooks.mjs")).href)).init();
    }
    await arrived(session, ["email_subscribe"]);
  });
}

test("html.md: its page counts once the visitor agrees, and tells what else happens", async () => {
  const folder = inProject("html", { queue: "", url, key: publishableKey });
  cpSync(join(base, "node_modules/audience-gate/tracker"), join(folder, "audience-gate"), { recursive: true });
  const [call] = filesOf("html").unnamed;
  await visited(folder, async (page) => {
    await page.click("text=Yes");
    const told = await page.evaluate(call.text.replace(/;\s*$/, ""));
    assert.equal(/** @type {{ status: string }} */ (told).status, "queued");
  });
});

test("python.md: a program queues, and another sends", async () => {
  const folder = inProject("python", { queue: join(base, "python-queue"), url, key: publishableKey });
  const session = `session-${randomUUID()}`;
  const env = { ...environment(), PYTHONPATH: join(root, "clients/python/src"), PYTHONDONTWRITEBYTECODE: "1" };
  const call = `import audience; audience.subscribed(${JSON.stringify(ADDRESS)}, ${JSON.stringify(session)})`;
  execFileSync("python3", ["-c", call], { cwd: folder, env });
  const { stdout } = await promisify(execFile)("python3", ["send.py"], { cwd: folder, env });
  assert.equal(stdout, "");
  await arrived(session, ["email_subscribe"]);
});

test("wordpress.md: a comment is told by a theme, and sent by the plugin", async () => {
  const folder = inProject("wordpress", { queue: join(base, "wordpress-queue"), url, key: publishableKey });
  const plugin = join(folder, "wp-content/plugins/audience-gate");
  cpSync(join(base, "node_modules/audience-gate/wordpress/audience-gate"), plugin, { recursive: true });
  cpSync(join(base, "node_modules/audience-gate/tracker"), join(plugin, "tracker"), { recursive: true });
  for (const name of ["wp-config.php", "functions.php"]) {
    writeFileSync(join(folder, name), `<?php\n${readFileSync(join(folder, name), "utf8")}`);
  }
  const args = [join(root, "tests/clients/wordpress.php"), plugin, "", folder];
  const { stdout, stderr } = await promisify(execFile)("php", ["-d", "display_errors=stderr", ...args], {
    env: { ...environment(), AUDIENCE_GATE_URL: "" },
  });
  assert.equal(stderr, "");
  const { attributes } = JSON.parse(stdout);
  assert.deepEqual([attributes["data-endpoint"], attributes["data-key"]], [url, publishableKey]);
  await arrived("comment-7", ["comment_posted"]);
});

test("every guide is tested here", () => {
  const guides = readdirSync(join(root, "docs/guides")).map((name) => name.replace(".md", ""));
  assert.deepEqual(guides.sort(), ["html", "nextjs", "python", "sveltekit", "wordpress"]);
});
