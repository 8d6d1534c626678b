import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import process from "node:process";
import { asClient, startPostgres } from "../database/postgres.mjs";
import { applyArchive, gate } from "./archived.mjs";

describe("the command line's connection to a Postgres with TLS", () => {
  /** @type {import("../database/postgres.mjs").Postgres} */
  let postgres;
  const folder = mkdtempSync(join(tmpdir(), "audience-gate-tls-"));
  const at = (/** @type {string} */ name) => join(folder, name);
  const openssl = (/** @type {string} */ words) =>
    execFileSync("openssl", words.split(" "), { cwd: folder, stdio: "pipe" });

  /** An authority, and a certificate for localhost that it signed. @param {string} name */
  function authority(name) {
    openssl(
      `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -keyout ${name}.key -out ${name}.crt -subj /CN=${name}`,
    );
  }

  before(async () => {
    authority("ca");
    authority("stranger");
    openssl(
      "req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout server.key -out server.csr -subj /CN=localhost",
    );
    writeFileSync(at("names.cnf"), "subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n");
    openssl(
      "x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile names.cnf -out server.crt",
    );
    chmodSync(folder, 0o755);
    chmodSync(at("server.key"), 0o600);
    if (process.getuid?.() === 0) {
      const user = ["postgres", "nobody"].map((name) => {
        try {
          return ["-u", "-g"].map((flag) => Number(execFileSync("id", [flag, name], { stdio: "pipe" })));
        } catch {
          return undefined;
        }
      }).find((ids) => ids !== undefined);
      if (user) chownSync(at("server.key"), user[0], user[1]);
    }
    assert.equal(statSync(at("server.key")).mode & 0o777, 0o600);
    postgres = await startPostgres({
      version: 15,
      settings: { ssl: "on", ssl_cert_file: at("server.crt"), ssl_key_file: at("server.key") },
    });
    await asClient(postgres.url, applyArchive);
  });
  after(async () => {
    await postgres.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const archive = (/** @type {string} */ host, /** @type {string} */ query) =>
    gate(
      `${postgres.url.split("?")[0].replace("127.0.0.1", host)}?${query}&application_name=tls-test`,
      "archive",
      at("log"),
    );

  for (
    const [host, query] of [
      ["127.0.0.1", "sslmode=disable"],
      ["127.0.0.1", "sslmode=prefer"],
      ["127.0.0.1", "sslmode=require"],
      ["localhost", "sslmode=verify-full&sslrootcert=CA"],
      ["127.0.0.1", "sslmode=verify-ca&sslrootcert=CA"],
    ]
  ) {
    it(`connects to ${host} with ${query}`, () => {
      const ran = archive(host, query.replace("CA", encodeURIComponent(at("ca.crt"))));
      assert.deepEqual([ran.status, ran.stderr], [0, ""]);
    });
  }

  for (
    const [host, query, reason] of /** @type {[string, string, RegExp][]} */ ([
      ["127.0.0.1", "sslmode=verify-full&sslrootcert=CA", /not valid for name/],
      ["localhost", "sslmode=verify-full&sslrootcert=STRANGER", /UnknownIssuer|BadSignature/],
      ["localhost", "sslmode=require&sslrootcert=STRANGER", /UnknownIssuer|BadSignature/],
      ["localhost", "sslmode=verify-full", /UnknownIssuer/],
      ["localhost", "sslmode=verify-full&sslrootcert=/no/such/file", /cannot use \/no\/such\/file, the sslrootcert/],
      ["localhost", "sslmode=sometimes", /sslmode in DATABASE_URL: send disable/],
    ])
  ) {
    it(`does not connect to ${host} with ${query}`, () => {
      const ran = archive(
        host,
        query.replace("CA", encodeURIComponent(at("ca.crt"))).replace(
          "STRANGER",
          encodeURIComponent(at("stranger.crt")),
        ),
      );
      assert.equal(ran.status, 2);
      assert.match(ran.stderr, reason);
    });
  }
});
