/**
 * `npm run build`: the crate → `pkg/`, which browsers, Deno, Node and bundlers load, and `target/npm/`, which is published.
 *
 * The first three steps are what `wasm-pack build --target web` does, and make the same scripts and types; the module is
 * smaller and faster, because it is compiled as nothing but a module. The others add what one file can do alone.
 */
import { createHash } from "node:crypto";
import { cpSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync } from "node:zlib";
import { fingerprint, root } from "./fingerprint.mjs";
import { inlineEntry } from "./inline.mjs";
import { npmPackage } from "./npm.mjs";
import { withoutPanics } from "./panics.mjs";
import { bindgen, compiler, optimiser, output, run } from "./toolchain.mjs";

const stage = join(root, "target/pkg");
const pkg = join(root, "pkg");
const wasm = join(pkg, "audience_gate_bg.wasm");

const rust = compiler();
console.log(`1. compile for wasm32 with ${rust.describe}`);
// Libraries small, the gate itself fast: the module is downloaded once and runs for every event. Level 3 made it a
// kilobyte larger and no faster.
const profile = ['profile.release.opt-level="s"', "profile.release.package.audience-gate.opt-level=2"];
// As a cdylib alone: beside a Rust library, cargo has nothing optimised across crates, and the module was half a kilobyte
// larger and a thirtieth slower.
run("cargo", [
  "rustc",
  "--release",
  "--package=audience-gate",
  "--lib",
  "--crate-type=cdylib",
  "--locked",
  "--target-dir",
  join(root, "target/wasm"),
  ...profile.flatMap((setting) => ["--config", setting]),
  ...rust.args,
], rust.env);

const bind = bindgen();
console.log(`2. bind to JavaScript with wasm-bindgen ${bind.version}`);
rmSync(stage, { recursive: true, force: true });
run(bind.command, [
  "--target",
  "web",
  "--out-dir",
  stage,
  "--out-name",
  "audience_gate",
  join(root, "target/wasm/wasm32-unknown-unknown/release/audience_gate.wasm"),
]);

console.log("3. optimise with wasm-opt, without panics");
const { command, options } = optimiser();
const bound = join(stage, "audience_gate_bg.wasm");
writeFileSync(bound, withoutPanics(readFileSync(bound)));
run(command[0], [
  ...command.slice(1),
  bound,
  "-o",
  bound,
  ...options,
]);
rmSync(pkg, { recursive: true, force: true });
cpSync(stage, pkg, { recursive: true });

console.log("4. write the inline entry");
const inline = await inlineEntry(pkg, readFileSync(wasm));
writeFileSync(join(pkg, "inline.js"), inline.script);
writeFileSync(join(pkg, "inline.d.ts"), inline.types);
const stamp = {
  generated_by: "npm run build",
  sources: fingerprint(),
  module: createHash("sha256").update(readFileSync(wasm)).digest("hex"),
  built_with: [rust.describe, `wasm-bindgen ${bind.version}`, output(command[0], [...command.slice(1), "--version"])],
};
writeFileSync(join(pkg, "build.json"), `${JSON.stringify(stamp, null, 2)}\n`);

console.log("5. assemble the package for npm in target/npm");
await npmPackage(pkg, join(root, "target/npm"));

for (const name of ["audience_gate_bg.wasm", "audience_gate.js", "inline.js"]) {
  const path = join(pkg, name);
  const shipped = brotliCompressSync(readFileSync(path)).length;
  console.log(`   ${name}: ${statSync(path).size} bytes, ${shipped} brotli`);
}
