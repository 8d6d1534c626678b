/**
 * The local stand-in for pg_cron, which the embedded Postgres does not have: asks the database every minute to
 * run the jobs that are due. The database decides what is due, and logs every run.
 *
 * @param {import("./database.mjs").Database} database
 * @param {(line: string) => void} log
 * @returns {() => void} stops it
 */
export function startScheduler(database, log) {
  let running = false;
  const tick = async () => {
    // While a slow run goes on, no other is started; the next comes a minute later.
    if (running) return;
    running = true;
    try {
      await database.query("select audience_gate.run_due_jobs()");
    } catch (error) {
      log(`scheduled jobs: ${/** @type {Error} */ (error).message}`);
    } finally {
      running = false;
    }
  };
  const timer = setInterval(tick, 60_000);
  tick();
  return () => clearInterval(timer);
}
