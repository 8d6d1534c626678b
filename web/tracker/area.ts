// A key-value area that never throws: storage may be denied, full, or cleared under our feet.

export type Area = {
  get(key: string): string | undefined;
  set(key: string, value: string): void;
  remove(key: string): void;
  keys(prefix: string): string[];
};

export function createArea(kind: "local" | "session" | "none"): Area {
  // What storage refuses lives here: lost with the page, but never thrown at the page.
  const memory = new Map<string, string>();
  let storage: Storage | undefined;
  try {
    // Reading the property alone throws where the visitor blocks site data.
    storage = kind === "none" ? undefined : kind === "session" ? sessionStorage : localStorage;
  } catch {
    // no storage: memory has to do
  }
  return {
    get(key) {
      try {
        return memory.get(key) ?? storage?.getItem(key) ?? undefined;
      } catch {
        // denied meanwhile: the same as absent
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
        // denied meanwhile: nothing is left to remove
      }
    },
    keys(prefix) {
      let kept: string[] = [];
      try {
        kept = Object.keys(storage ?? {});
      } catch {
        // denied meanwhile: only memory has keys
      }
      return [...new Set([...memory.keys(), ...kept])].filter((key) => key.startsWith(prefix)).sort();
    },
  };
}
