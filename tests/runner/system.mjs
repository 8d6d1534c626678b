import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./paths.mjs";

/** Where the programs of a real Postgres 15 are: `PG_BIN`, or where Debian's package laid them down. */
export const postgresBin = process.env.PG_BIN ?? "/usr/lib/postgresql/15/bin";

/** The extension folder beside those programs. */
function extension(/** @type {string} */ name) {
  const { stdout } = spawnSync(join(postgresBin, "pg_config"), ["--sharedir"], {
    encoding: "utf8",
  });
  return existsSync(join(stdout?.trim() ?? "", "extension", `${name}.control`));
}

const onPath = (/** @type {string} */ program) => spawnSync("which", [program]).status === 0;

/** The Python that has PySpark: kept between runs in a folder named after what is to be in it, never in the system. */
const requirements = join(root, "spark", "requirements.txt");
const venv = join(
  root,
  ".local",
  `spark-${createHash("sha256").update(readFileSync(requirements)).digest("hex").slice(0, 12)}`,
);
export const sparkPython = join(venv, "bin", "python");

const hasSpark = () => spawnSync(sparkPython, ["-c", "import pyspark, pyarrow, pandas"]).status === 0;

/** Debian parts Python from what makes environments. */
const makesVenvs = () => spawnSync("python3", ["-c", "import venv, ensurepip"]).status === 0;

/**
 * What the tests need besides Node, npm, Rust and the npm packages: what each piece is for, how to see that it
 * is there, and the Debian package that brings it.
 */
const PIECES = [
  {
    name: "a real Postgres server",
    present: () => existsSync(join(postgresBin, "initdb")),
    package: "postgresql-15",
  },
  {
    name: "pg_cron",
    present: () => extension("pg_cron"),
    package: "postgresql-15-cron",
  },
  {
    name: "pgTAP",
    present: () => extension("pgtap"),
    package: "postgresql-15-pgtap",
  },
  {
    name: "plpgsql_check",
    present: () => extension("plpgsql_check"),
    package: "postgresql-15-plpgsql-check",
  },
  {
    name: "pg_prove",
    present: () => onPath("pg_prove"),
    package: "libtap-parser-sourcehandler-pgtap-perl",
  },
  {
    name: "Chromium",
    present: () => existsSync("/usr/bin/chromium"),
    package: "chromium",
  },
  { name: "brotli", present: () => onPath("brotli"), package: "brotli" },
  { name: "openssl", present: () => onPath("openssl"), package: "openssl" },
  { name: "Java", present: () => onPath("java"), package: "openjdk-17-jre-headless" },
  { name: "Python's venv", present: makesVenvs, package: "python3-venv" },
];

/**
 * Makes sure that every piece is there: installs what is missing where this user may, and otherwise stops
 * with the command that would. No suite is left out because a piece is absent.
 */
export function ensureSystem() {
  ensurePieces();
  ensureSpark();
}

function ensureSpark() {
  if (hasSpark()) return;
  console.log("installing PySpark, once: 440 MB from PyPI");
  const run = (/** @type {string[]} */ [command, ...args]) =>
    spawnSync(command, args, { stdio: ["ignore", "ignore", "inherit"] }).status === 0;
  const pip = [sparkPython, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
  const done = run(["python3", "-m", "venv", "--clear", venv]) && run([...pip, "--requirement", requirements]);
  if (!done || !hasSpark()) {
    console.error(
      `could not install PySpark; try it by hand: python3 -m venv ${venv} && ${pip.join(" ")} -r ${requirements}`,
    );
    process.exit(2);
  }
}

function ensurePieces() {
  const missing = PIECES.filter((piece) => !piece.present());
  if (missing.length === 0) return;

  const names = missing.map(({ name }) => name).join(", ");
  const packages = missing.map((piece) => piece.package);
  const command = `apt-get install --yes --no-install-recommends ${packages.join(" ")}`;
  if (process.getuid?.() !== 0 || !onPath("apt-get")) {
    console.error(
      `the tests need ${names}; on Debian or Ubuntu:\n\n  sudo ${command}\n\n` +
        "elsewhere install the same programs and set PG_BIN to the folder of initdb",
    );
    process.exit(2);
  }

  console.log(`installing ${names}`);
  const apt = (/** @type {string[]} */ args) =>
    spawnSync("apt-get", ["--quiet=2", ...args], {
      stdio: ["ignore", "ignore", "inherit"],
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    }).status === 0;
  apt(["update"]);
  const installed = apt([
    "install",
    "--yes",
    "--no-install-recommends",
    ...packages,
  ]);
  const still = PIECES.filter((piece) => !piece.present());
  if (!installed || still.length > 0) {
    console.error(
      `could not install ${still.map(({ name }) => name).join(", ")}; try it by hand: ${command}`,
    );
    process.exit(2);
  }
}
