import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before } from "node:test";
import pg from "pg";
import { startPostgres } from "../database/postgres.mjs";

/** @typedef {{ url: string, adminUrl: string, client: pg.Client, folder: string }} Log */

/**
 * A database, a client of it and a folder for the tests of one `describe`. They are there before the first test, and
 * gone after the last.
 *
 * @param {(log: Log) => Promise<unknown>} prepare @param {import("../database/postgres.mjs").Options} [options]
 */
export function useLog(prepare, options) {
  const log = /** @type {Log} */ ({ folder: mkdtempSync(join(tmpdir(), "audience-gate-log-")) });
  /** @type {import("../database/postgres.mjs").Postgres} */
  let postgres;
  before(async () => {
    postgres = await startPostgres(options);
    log.url = postgres.url;
    log.adminUrl = postgres.adminUrl;
    log.client = new pg.Client({ connectionString: log.url });
    await log.client.connect();
    await prepare(log);
  });
  after(async () => {
    await log.client?.end();
    await postgres?.stop();
    rmSync(log.folder, { recursive: true, force: true });
  });
  return log;
}
