/** The second entry of the package: the module as base64 in JavaScript, instantiated synchronously, nothing fetched. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";

/** The script and the types of the inline entry, made from the generated `audience_gate.js` in `pkg`. */
export async function inlineEntry(pkg, module, preamble) {
  const names = exportedNames(readFileSync(join(pkg, "audience_gate.js"), "utf8"));
  const entry = `
    import { initSync, ${names.join(", ")} } from "./audience_gate.js";
    initSync({ module: Uint8Array.from(atob(${JSON.stringify(module.toString("base64"))}), (c) => c.charCodeAt(0)) });
    export { ${names.join(", ")} };
  `;
  const { outputFiles: [bundle] } = await build({
    stdin: { contents: entry, resolveDir: pkg },
    bundle: true,
    format: "esm",
    // Old enough for every runtime that has the module's own features.
    target: "es2022",
    legalComments: "none",
    write: false,
  });
  // `fetch` and `import.meta.url` serve the asynchronous loading, which this entry leaves out.
  if (/\bfetch\(|import\.meta/.test(bundle.text)) throw new Error("the inline entry would load something");
  return {
    script: `/* @ts-self-types="./inline.d.ts" */\n${preamble}${bundle.text}`,
    types: `${preamble}export { ${
      names.join(", ")
    } } from "./audience_gate.js";\nexport type * from "./audience_gate.js";\n`,
  };
}

function exportedNames(script) {
  return [...script.matchAll(/^export function (\w+)/gm)].map(([, name]) => name);
}
