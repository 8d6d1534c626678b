/** The second entry of the package: the module as text in JavaScript, instantiated synchronously, nothing fetched. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";

const FIRST_RECEIVED_AT = Date.parse("2026-01-01T12:00:01Z");

/** The script and the types of the inline entry, made from the generated `audience_gate.js` in `pkg`. @param {string} pkg @param {Uint8Array} module @param {string} preamble */
export async function inlineEntry(pkg, module, preamble) {
  const names = exportedNames(
    readFileSync(join(pkg, "audience_gate.js"), "utf8"),
  );
  const firstEvents = JSON.stringify(
    JSON.parse(
      readFileSync(new URL("first_events.json", import.meta.url), "utf8"),
    ),
  );
  const entry = `
    import { initSync, ${names.join(", ")} } from "./audience_gate.js";
    initSync({ module: Uint8Array.from(${JSON.stringify(printable(module))}, (c) => c.charCodeAt(0) - ${SHIFT}) });
    // Engines compile a function when it is first called: here, and not while the first senders wait. These few reach
    // what nearly all events reach; to judge all examples of the contract instead took four milliseconds longer.
    judge(new TextEncoder().encode(${JSON.stringify(firstEvents)}), {
      caller: "trusted", receivedAt: ${FIRST_RECEIVED_AT}, seed: new Uint8Array(16),
    });
    export { ${names.join(", ")} };
  `;
  const { outputFiles: [bundle] } = await build({
    stdin: { contents: entry, resolveDir: pkg },
    bundle: true,
    format: "esm",
    // Old enough for every runtime that has the module's own features.
    target: "es2022",
    charset: "utf8",
    legalComments: "none",
    write: false,
  });
  // `fetch` and `import.meta.url` serve the asynchronous loading, which this entry leaves out.
  if (/\bfetch\(|import\.meta/.test(bundle.text)) {
    throw new Error("the inline entry would load something");
  }
  return {
    script: `/* @ts-self-types="./inline.d.ts" */\n${preamble}${bundle.text}`,
    types: `${preamble}export { ${
      names.join(", ")
    } } from "./audience_gate.js";\nexport type * from "./audience_gate.js";\n`,
  };
}

/** So far from a byte to its character, in steps of 256 where that one cannot stand in a source as it is. */
const SHIFT = 32;

/**
 * Bytes as characters, one each. Base64 spreads a byte over two characters, behind which no compression finds it again:
 * sent with brotli, it is a third more than the module, and this a fiftieth.
 */
function printable(/** @type {Uint8Array} */ bytes) {
  const isPlain = (/** @type {number} */ code) =>
    (code < 0x7f && code !== 0x22 && code !== 0x5c) ||
    (code > 0xa0 && code !== 0xad);
  const codes = Array.from(
    bytes,
    (byte) => isPlain(byte + SHIFT) ? byte + SHIFT : byte + SHIFT + 256,
  );
  return codes.map((code) => String.fromCharCode(code)).join("");
}

function exportedNames(/** @type {string} */ script) {
  return [...script.matchAll(/^export function (\w+)/gm)].map(([, name]) => name);
}
