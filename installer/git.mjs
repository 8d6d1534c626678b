/** What git says of a file. Without git, or outside a repository, it says nothing. */
import { spawnSync } from "node:child_process";

/** @param {string} folder @param {string[]} args */
const succeeds = (folder, ...args) => spawnSync("git", args, { cwd: folder, stdio: "ignore" }).status === 0;

/** Whether a file would be left out of a commit. @param {string} folder @param {string} path */
export const ignored = (folder, path) => succeeds(folder, "check-ignore", "--quiet", path);

/** Whether a file is committed already. @param {string} folder @param {string} path */
export const tracked = (folder, path) => succeeds(folder, "ls-files", "--error-unmatch", path);
