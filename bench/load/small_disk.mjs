/** A disk that can be filled: a tmpfs that holds the event log, and whose size is taken down to what it holds. */
import { spawnSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, statfsSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { asClient } from "../../tests/database/postgres.mjs";

const SIZE = "8g";

/**
 * Moves the event log there. Null where this process may not mount anything.
 * @param {import("../../tests/database/postgres.mjs").Postgres} postgres
 */
export async function smallDisk(postgres) {
  const folder = mkdtempSync(join(tmpdir(), "audience-gate-disk-"));
  const mount = (/** @type {string} */ options) =>
    spawnSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", folder]).status === 0;
  if (!mount(`size=${SIZE}`)) {
    rmSync(folder, { recursive: true });
    return null;
  }
  const { uid, gid } = statSync(join(dirname(postgres.logFile), "data"));
  const place = join(folder, "log");
  mkdirSync(place);
  chownSync(place, uid, gid);
  chmodSync(folder, 0o711);
  await asClient(postgres.adminUrl, async (client) => {
    await client.query(`create tablespace small location '${place}'`);
    await client.query("alter table public.audience_events set tablespace small");
  });
  return {
    /** Leaves no room for a while. @param {number} milliseconds */
    fill: async (milliseconds) => {
      // The log grows while it is measured, and a size below what is held is refused: measured again until one is taken.
      let filled = false;
      for (let measured = 0; measured < 1000 && !filled; measured++) {
        const { blocks, bfree, bsize } = statfsSync(folder);
        filled = mount(`remount,size=${(blocks - bfree) * bsize}`);
      }
      if (!filled) throw new Error("the disk was not filled");
      await pause(milliseconds);
      mount(`remount,size=${SIZE}`);
    },
    /** Once the server has ended. */
    remove: () => {
      spawnSync("umount", ["-l", folder]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
