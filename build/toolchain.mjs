/** Finds the tools that turn the crate into a WebAssembly module, on an ordinary machine and on a bare Debian one. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { packageCommand } from "../tests/runner/paths.mjs";
import { root } from "./fingerprint.mjs";

const target = "wasm32-unknown-unknown";

/** Messages of panics name source files: of this machine, they keep no more than the package and the file. */
const withoutPaths = [
  `--remap-path-prefix=${join(process.env.CARGO_HOME ?? join(homedir(), ".cargo"), "registry/src")}=crates`,
  `--remap-path-prefix=${root}=`,
];

/** Most of the module is seldom run: less than usual is copied into callers, fewer loops are unrolled, and no panic says where. */
const small = ["-Cllvm-args=-inline-threshold=110 -unroll-threshold=50", "-Zlocation-detail=none"];

/** Runs a command to its end with its output shown; a failure ends the build with its name. @param {string} command @param {string[]} args @param {NodeJS.ProcessEnv} [env] */
export function run(command, args, env = {}) {
  console.log(`  $ ${[command.replace(root, ""), ...args.map((arg) => arg.replaceAll(root, ""))].join(" ")}`);
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, ...env },
  });
  if (error || status !== 0) throw new Error(`\`${command}\` failed${error ? `: ${error.message}` : ""}`);
}

/** The output of a command, or nothing where it is not there or fails. @param {string} command @param {string[]} args @param {NodeJS.ProcessEnv} [env] */
export function output(command, args, env = {}) {
  const { status, stdout } = spawnSync(command, args, {
    cwd: root,
    encoding: "utf8",
    env: { ...process.env, ...env },
  });
  return status === 0 ? stdout.trim() : undefined;
}

/**
 * How this machine compiles for wasm32: `describe` says so in words, `args` and `env` go to `cargo build`.
 *
 * The Debian route builds the standard library from its sources, so it can also leave out the panic machinery.
 */
export function compiler() {
  if (output("rustc", ["--print", "target-libdir", "--target", target])?.split("\n").every(existsSync)) {
    return {
      describe: output("rustc", ["--version"]),
      args: ["--target", target, ...rustFlags([...withoutPaths, ...small])],
      // Lets a stable compiler leave out where panics are.
      env: { RUSTC_BOOTSTRAP: "1" },
    };
  }
  const debian = "/usr/bin/rustc";
  const sysroot = existsSync(debian) ? output(debian, ["--print", "sysroot"]) : undefined;
  if (sysroot && existsSync(join(sysroot, "lib/rustlib/src/rust/library/Cargo.lock"))) {
    const host = /^host: (.+)$/m.exec(output("rustc", ["-vV"]) ?? "")?.[1];
    return {
      describe: `${output(debian, ["--version"])}, standard library built from source`,
      args: [
        "--target",
        target,
        "-Zbuild-std=std,panic_abort",
        ...rustFlags([...withoutPaths, ...small, "-Zunstable-options", "-Cpanic=immediate-abort"]),
      ],
      env: {
        RUSTC: debian,
        RUSTC_BOOTSTRAP: "1",
        CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER: join(
          output("rustc", ["--print", "sysroot"]) ?? "",
          `lib/rustlib/${host}/bin/rust-lld`,
        ),
      },
    };
  }
  throw new Error(
    `no Rust compiler for ${target}: run \`rustup target add ${target}\`,` +
      " or on Debian `apt-get install --no-install-recommends rustc-web rust-web-src`",
  );
}

/** For cargo, after the flags in `.cargo/config.toml`. */
const rustFlags = (
  /** @type {string[]} */ flags,
) => ["--config", `target.${target}.rustflags=${JSON.stringify(flags)}`];

/** The `wasm-opt` command, and the options that wasm-pack gives it too: they are in Cargo.toml. */
export function optimiser() {
  const described = JSON.parse(output("cargo", ["metadata", "--no-deps", "--format-version=1"]) ?? "");
  const { metadata } = described.packages.find((/** @type {{ name: string }} */ { name }) => name === "audience-gate");
  return {
    command: packageCommand("binaryen", "wasm-opt"),
    options: metadata["wasm-pack"].profile.release["wasm-opt"],
  };
}

/** The `wasm-bindgen` command of exactly the version in Cargo.lock: on PATH, or installed once under `target/`. */
export function bindgen() {
  const lock = readFileSync(join(root, "Cargo.lock"), "utf8");
  const version = /name = "wasm-bindgen"\nversion = "([^"]+)"/.exec(lock)?.[1];
  if (!version) throw new Error("Cargo.lock names no wasm-bindgen");
  const folder = join(root, "target", `wasm-bindgen-${version}`);
  const found = ["wasm-bindgen", join(folder, "bin/wasm-bindgen")]
    .find((command) => output(command, ["--version"]) === `wasm-bindgen ${version}`);
  if (found) return { command: found, version };
  console.log(`  wasm-bindgen ${version} is not on PATH: installing it under target/ (several minutes, once)`);
  const install = ["install", "wasm-bindgen-cli", "--version", version, "--root", folder];
  try {
    run("cargo", [...install, "--locked"]);
  } catch {
    console.log("  its own lock file names a release that is not to be had here: with what there is instead");
    run("cargo", install);
  }
  return { command: join(folder, "bin/wasm-bindgen"), version };
}
