// A key-value area that never throws: storage may be denied, full, or cleared at any time.

export type Area = {
  get(key: string): string | undefined;
  set(key: string, value: string): void;
  remove(key: string): void;
  keys(prefix: string): string[];
};

export function createArea(kind: "local" | "session" | "none"): Area {
  // What storage refuses is kept here: it is lost with the page, but the page sees no error.
  const memory = new Map<string, string>();
  let storage: Storage | undefined;
  try {
    // Reading the property alone throws where the visitor blocks site data.
    storage = kind === "none" ? undefined : kind === "session" ? sessionStorage : localStorage;
  } catch {
    // no storage: memory must do
  }
  return {
    get(key) {
      try {
        return memory.get(key) ?? storage?.getItem(key) ?? undefined;
      } catch {
        // denied by now: the same as absent
      }
    },
    set(key, value) {
      memory.set(key, value);
      try {
        if (storage) {
          storage.setItem(key, value);
          memory.delete(key);
        }
      } catch {
        // full: it stays in memory
      }
    },
    remove(key) {
      memory.delete(key);
      try {
        storage?.removeItem(key);
      } catch {
        // denied by now: there is nothing left to remove
      }
    },
    keys(prefix) {
      let kept: string[] = [];
      try {
        kept = Object.keys(storage ?? {});
      } catch {
        // denied by now: only memory has keys
      }
      return [...new Set([...memory.keys(), ...kept])].filter((key) => key.startsWith(prefix)).sort();
    },
  };
}
