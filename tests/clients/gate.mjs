/** The real function on a real Postgres, and one whose database is gone. */
import { signingKeys, startPostgres } from "../database/postgres.mjs";
import { startRpcGateway } from "../function/rpc-gateway.mjs";
import { serveFunction } from "../function/serve.mjs";
import pg from "pg";

/** The events that a session may send at once here, and in a minute. */
export const SESSION_LIMIT = { burst: 6, per_minute: 12 };

export async function startGate() {
  const postgres = await startPostgres({ version: 15 });
  const gateway = await startRpcGateway({ database: postgres.url });
  const AUDIENCE_GATE_SIGNING_KEY = signingKeys.get(new URL(postgres.url).port) ?? "";
  const [healthy, ill] = await Promise.all([
    serveFunction({ store: gateway.url, environment: { AUDIENCE_GATE_SIGNING_KEY } }),
    serveFunction({ store: "http://127.0.0.1:9", environment: { AUDIENCE_GATE_SIGNING_KEY } }),
  ]);
  const pool = new pg.Pool({ connectionString: postgres.adminUrl, max: 4 });
  await pool.query(
    "update public.audience_rate_limits set shards = 1, burst = $1, per_minute = $2 where scope = 'session'",
    [SESSION_LIMIT.burst, SESSION_LIMIT.per_minute],
  );
  return {
    functions: { healthy: healthy.url, ill: ill.url },
    /**
     * The rows of events, by the ids under which they were sent.
     *
     * @param {string[]} ids @returns {Promise<{ id: string, rejected: boolean, metadata: Record<string, unknown> }[]>}
     */
    recorded: async (ids) => {
      const { rows } = await pool.query(
        `select sent.id, e.rejected, e.metadata from public.audience_events e
         cross join lateral (select case when e.rejected then e.metadata ->> 'event_id' else e.id::text end as id) sent
         where sent.id = any($1)`,
        [ids],
      );
      return rows;
    },
    stop: async () => {
      await pool.end();
      await Promise.all([healthy.stop(), ill.stop()]);
      await gateway.close();
      await postgres.stop();
    },
  };
}
