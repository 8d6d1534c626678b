// The events that wait, each a file of its own: processes add and remove them without a lock, and one that is killed
// leaves nothing half-written. Their names begin with the time, so they are sent in the order in which they came.
import { randomUUID } from "node:crypto";
import { link, mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { QueueFull } from "./errors.ts";

/** What the server told one process to wait for holds for all, also after a restart. */
export type Pause = { until: number; attempt: number };

const EVENT = /^[0-9a-f-]{36}\.json$/;
/** A file that was not finished within this time belongs to a process that is gone. */
const STALE_MS = 3_600_000;
const MOST_PAUSE_MS = 86_400_000;

export class Queue {
  readonly #folder: string;
  readonly #most: number;

  constructor(folder: string, most: number) {
    this.#folder = folder;
    this.#most = most;
  }

  /** When it returns, the event is on the disk. An id that is queued already is the same event. */
  async put(id: string, text: string): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const ids = await this.ids();
    if (ids.includes(id)) return;
    if (ids.length >= this.#most) {
      throw new QueueFull(
        `${ids.length} events wait in ${this.#folder}, which is all that may; the event was not queued`,
      );
    }
    const unfinished = join(this.#folder, `${randomUUID()}.tmp`);
    try {
      await synced(unfinished, "wx", text);
      // Unlike a renamed one, a linked file replaces none that another process has made meanwhile.
      await link(unfinished, this.#path(id)).catch((error) => {
        if (error.code !== "EEXIST") throw error;
      });
    } finally {
      await rm(unfinished, { force: true });
    }
    await syncFolder(this.#folder);
  }

  /** Oldest first. */
  async ids(): Promise<string[]> {
    return (await this.#names()).filter((name) => EVENT.test(name)).sort().map((name) => name.slice(0, -5));
  }

  /** Undefined if another process has settled it. */
  text(id: string): Promise<string | undefined> {
    return read(this.#path(id));
  }

  remove(id: string): Promise<void> {
    return rm(this.#path(id), { force: true });
  }

  /** Removes what killed processes left unfinished; no caller was told that it was queued. */
  async tidy(): Promise<void> {
    for (const name of await this.#names()) {
      if (!name.endsWith(".tmp")) continue;
      const path = join(this.#folder, name);
      const made = await stat(path).then(({ mtimeMs }) => mtimeMs, () => Infinity);
      if (made < Date.now() - STALE_MS) await rm(path, { force: true });
    }
  }

  async pause(): Promise<Pause> {
    try {
      const { until, attempt } = JSON.parse((await read(join(this.#folder, "pause"))) ?? "");
      // A clock that was set back must not silence anybody for longer than any pause lasts.
      if (until < Date.now() + MOST_PAUSE_MS && Number.isSafeInteger(attempt)) return { until, attempt };
    } catch {
      // none is on record
    }
    return { until: 0, attempt: 0 };
  }

  async setPause(pause: Pause | undefined): Promise<void> {
    const path = join(this.#folder, "pause");
    if (!pause) return await rm(path, { force: true });
    const unfinished = join(this.#folder, `${randomUUID()}.tmp`);
    await writeFile(unfinished, JSON.stringify(pause), { mode: 0o600 });
    await rename(unfinished, path);
  }

  #path(id: string): string {
    return join(this.#folder, `${id}.json`);
  }

  async #names(): Promise<string[]> {
    return await readdir(this.#folder).catch((error) => {
      if (error.code === "ENOENT") return [];
      throw error;
    });
  }
}

async function read(path: string): Promise<string | undefined> {
  return await readFile(path, "utf8").catch((error) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
}

async function synced(path: string, flags: string, text: string): Promise<void> {
  const file = await open(path, flags, 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** The name is on the disk, too; Windows does that by itself, and lets nobody open a folder. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === "win32") return;
  const opened = await open(folder, "r");
  try {
    await opened.sync();
  } finally {
    await opened.close();
  }
}
