import { secretKey } from "./settings.mjs";

/**
 * The local stand-in for pg_cron, which the embedded Postgres does not have: asks the database every minute to
 * run the jobs that are due, and the function to send what alerts have to say. The database decides what is due, and
 * logs every run.
 *
 * @param {import("./database.mjs").Database} database
 * @param {string} url of the stack
 * @param {(line: string) => void} log
 * @returns {() => Promise<void>} stops it, and waits for what is running
 */
export function startScheduler(database, url, log) {
  /** @type {Promise<void> | undefined} */
  let running;
  const run = async () => {
    try {
      await database.query("select audience_gate.run_due_jobs()");
      const { rows } = await database.query(
        "select from public.audience_alert_deliveries where state = 'due' and due_at <= now() limit 1",
      );
      if (rows.length > 0) await sendAlerts(url);
    } catch (error) {
      log(`scheduled jobs: ${/** @type {Error} */ (error).message}`);
    } finally {
      running = undefined;
    }
  };
  // While a slow run goes on, no other is started; the next comes a minute later.
  const tick = () => running ??= run();
  const timer = setInterval(tick, 60_000);
  tick();
  return async () => {
    clearInterval(timer);
    await running;
  };
}

/** @param {string} url */
async function sendAlerts(url) {
  const response = await fetch(`${url}/functions/v1/ingest/alerts`, { method: "POST", headers: { apikey: secretKey } });
  if (!response.ok) throw new Error(`the alerts were not sent: ${response.status}`);
  await response.arrayBuffer();
}
