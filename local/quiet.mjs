/**
 * The embedded Supabase prints whole failing queries with their parameters, which may hold what a sender wrote.
 * No personal value belongs in a log, so only the SQLSTATE and the routine that raised it are kept.
 */
export function keepValuesOutOfLogs() {
  const { error } = console;
  console.error = (...values) => {
    const failure = values.find((value) => value instanceof Error);
    if (failure && "code" in failure) {
      const { code, routine } = /** @type {Record<string, unknown>} */ (
        /** @type {unknown} */ (failure)
      );
      error(`database: refused with ${code}${routine ? ` in ${routine}` : ""}`);
    } else {
      error(...values);
    }
  };
}

/**
 * Imports a module that prints an irrelevant notice when it loads: the Supabase client warns on
 * Node 20 although only its server half runs in this process.
 *
 * @template T @param {() => Promise<T>} load @returns {Promise<T>}
 */
export async function withoutNotices(load) {
  const { warn } = console;
  console.warn = () => {};
  try {
    return await load();
  } finally {
    console.warn = warn;
  }
}
