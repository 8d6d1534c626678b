/** Projects of frameworks and runtimes that use the package as their own documents have it. */

/** A page that says what it found; every framework's own page does the same. */
const COMPARE = (/** @type {string} */ gate) => `
  const expected = await (await fetch("/expected.json")).json();
  globalThis.found = disagreements(${gate}, expected);`;

/** @type {Record<string, string>} by their paths: an application of Vite and React */
export const REACT = {
  "index.html":
    '<!doctype html><title>react</title><div id="root"></div><script type="module" src="/src/main.tsx"></script>',
  "vite.config.ts": `import react from "@vitejs/plugin-react";
    import { defineConfig } from "vite";
    export default defineConfig({ plugins: [react()] });`,
  "tsconfig.json": JSON.stringify({
    compilerOptions: {
      target: "es2022",
      lib: ["es2022", "dom", "dom.iterable"],
      module: "esnext",
      moduleResolution: "bundler",
      jsx: "react-jsx",
      types: [],
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      noUnusedLocals: true,
      verbatimModuleSyntax: true,
      allowJs: true,
      skipLibCheck: false,
      noEmit: true,
    },
    include: ["src"],
  }),
  "src/main.tsx": `import { StrictMode, useEffect, useState } from "react";
    import { createRoot } from "react-dom/client";
    import init, * as web from "audience-gate";
    import * as inline from "audience-gate/inline";
    import { createTracker, type Tracker } from "audience-gate/tracker";
    import { disagreements } from "../verdicts.mjs";

    const event: inline.AudienceEvent = {
      session_id: "session-0001", event_type: "content_view", event_category: "engagement", event_source: "web",
      metadata: { content_id: "guide-7", duration_seconds: 5 },
    };

    function App() {
      const [rule, setRule] = useState<inline.RuleId | inline.OwnRuleId>();
      useEffect(() => {
        const tracker: Tracker = createTracker({ endpoint: "/ingest", key: "sb_publishable_x", contract: false });
        setRule(inline.check(event).violations[0]?.rule_id);
        void compare(tracker);
      }, []);
      return <p>{rule}</p>;
    }

    async function compare(tracker: Tracker): Promise<void> {
      await init();
      const expected = await (await fetch("/expected.json")).json();
      const found = [...disagreements(web, expected), ...disagreements(inline, expected)];
      Object.assign(globalThis, { found: typeof tracker.track === "function" ? found : ["no tracker"] });
    }

    const root = document.getElementById("root");
    if (root) createRoot(root).render(<StrictMode><App /></StrictMode>);`,
};

/** What runs in Next's edge runtime, which compiles no module from bytes: both entries, as one answer. */
const EDGE = (/** @type {string} */ up) =>
  `import * as web from "audience-gate";
    import * as inline from "audience-gate/inline";
    import expected from "${up}expected.json";
    import { disagreements } from "${up}verdicts.mjs";
    const found = async () => {
      await web.default();
      return Response.json([...disagreements(web, expected), ...disagreements(inline, expected)]);
    };`;

/** A route in the edge runtime. Next 16.4 builds none by webpack, whatever is in it. */
export const EDGE_ROUTE = {
  "app/edge/route.js": `${EDGE("../../")}
    export const runtime = "edge";
    export const GET = found;`,
};

/** An application of Next: a page in the browser, answers of its server and of its edge runtime, and a middleware. */
export const NEXT = {
  "pages/api/edge.js": `${EDGE("../../")}
    export const config = { runtime: "edge" };
    export default found;`,
  "middleware.js": `${EDGE("./")}
    export const config = { matcher: "/middleware" };
    export const middleware = found;`,
  "next.config.mjs":
    `export default { turbopack: { root: new URL("../..", import.meta.url).pathname }, experimental: { cpus: 1 } };`,
  "app/layout.jsx": "export default ({ children }) => <html><body>{children}</body></html>;",
  "app/page.jsx": `"use client";
    import { useEffect } from "react";
    import * as inline from "audience-gate/inline";
    import { createTracker } from "audience-gate/tracker";
    import { disagreements } from "../verdicts.mjs";
    const compare = async () => {
      createTracker({ endpoint: "/ingest", key: "sb_publishable_x", contract: false });
      ${COMPARE("inline")}
    };
    export default function Page() { useEffect(() => { compare(); }, []); return <p>next</p>; }`,
  "app/answer/route.js": `import { readFileSync } from "node:fs";
    import * as inline from "audience-gate/inline";
    import { AudienceGate } from "audience-gate/client";
    import { disagreements } from "../../verdicts.mjs";
    export const dynamic = "force-dynamic";
    export const GET = () => {
      new AudienceGate({ queue: "queue" });
      return Response.json(disagreements(inline, JSON.parse(readFileSync("expected.json", "utf8"))));
    };`,
};

/** The same of SvelteKit. */
export const SVELTEKIT = {
  "vite.config.js": `import { sveltekit } from "@sveltejs/kit/vite";
    export default { plugins: [sveltekit()] };`,
  "src/app.html": "<!doctype html><html><head>%sveltekit.head%</head><body><div>%sveltekit.body%</div></body></html>",
  "src/routes/+page.svelte": `<script>
    import { onMount } from "svelte";
    import * as inline from "audience-gate/inline";
    import { createTracker } from "audience-gate/tracker";
    import { disagreements } from "../../verdicts.mjs";
    onMount(async () => {
      createTracker({ endpoint: "/ingest", key: "sb_publishable_x", contract: false });
      ${COMPARE("inline")}
    });
  </script><p>sveltekit</p>`,
  "src/routes/answer/+server.js": `import { readFileSync } from "node:fs";
    import * as inline from "audience-gate/inline";
    import { AudienceGate } from "audience-gate/client";
    import { disagreements } from "../../../verdicts.mjs";
    export const GET = () => {
      new AudienceGate({ queue: "queue" });
      return Response.json(disagreements(inline, JSON.parse(readFileSync("expected.json", "utf8"))));
    };`,
};

/** A worker of workerd, tested by workerd itself: what it finds is an error. */
export const WORKER = (/** @type {string} */ entry) => `
  import * as gate from "${entry}";
  import { disagreements } from "./verdicts.mjs";
  import expected from "./expected.json";
  export default {
    async test() {
      await gate.default?.();
      const found = disagreements(gate, expected);
      if (found.length > 0) throw new Error(found.join("\\n"));
    },
  };`;

/** How workerd is told of a script and a module. */
export const WORKERD = (/** @type {string} */ script, /** @type {string} */ module) =>
  `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (services = [(name = "main", worker = (
  compatibilityDate = "2026-01-01",
  modules = [
    (name = "${script}", esModule = embed "${script}"),
    (name = "${module}", wasm = embed "${module}"),
  ],
))]);
`;
