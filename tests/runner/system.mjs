import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** Where the server programs of a real Postgres are: `PG_BIN`, or the newest that Debian's packages laid down. */
export function postgresBin() {
  const base = "/usr/lib/postgresql";
  const versions = existsSync(base) ? readdirSync(base).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [
    process.env.PG_BIN ?? "",
    ...versions.map((version) => join(base, version, "bin")),
  ];
  return folders.find((folder) => existsSync(join(folder, "initdb")));
}

/** The extension folder beside those programs. */
function extension(/** @type {string} */ name) {
  const bin = postgresBin();
  if (!bin) return false;
  const { stdout } = spawnSync(join(bin, "pg_config"), ["--sharedir"], {
    encoding: "utf8",
  });
  return existsSync(join(stdout.trim(), "extension", `${name}.control`));
}

const onPath = (/** @type {string} */ program) => spawnSync("which", [program]).status === 0;

/**
 * What the tests need besides Node, npm, Rust and the npm packages: what each piece is for, how to see that it
 * is there, and the Debian package that brings it.
 */
const PIECES = [
  {
    name: "a real Postgres server",
    present: () => postgresBin() !== undefined,
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
];

/**
 * Makes sure that every piece is there: installs what is missing where this user may, and otherwise stops
 * with the command that would. No suite is left out because a piece is absent.
 */
export function ensureSystem() {
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
