/**
 * What PostgREST does for the function's two calls, over a real Postgres: one transaction per request, as the role that
 * the key stands for. Every call can be broken off at any of the points where a network or a server breaks.
 */
import { once } from "node:events";
import { createServer } from "node:http";
import pg from "pg";
import { secretKey } from "../../local/settings.mjs";

const RPC = /^\/rest\/v1\/rpc\/([a-z_]+)$/;
/** The arguments are named like the body's members; a function takes texts, JSON or nothing. */
const call = (/** @type {string} */ name, /** @type {[string, unknown][]} */ members) =>
  `select public.${name}(${
    members.map(([arg, value], i) => `${arg} := $${i + 1}::${typeof value === "string" ? "text" : "jsonb"}`).join(", ")
  }) as answer`;

/**
 * @typedef {object} Flight a call under way
 * @property {number | undefined} backend the process id of its database session
 * @property {() => void} cut breaks the function's connection
 *
 * @param {{ database: string, connections?: number }} options
 */
export async function startRpcGateway({ database, connections = 12 }) {
  const pool = new pg.Pool({
    connectionString: database,
    max: connections,
    connectionTimeoutMillis: 2000,
  });
  // The pool replaces a session that the server ended; the call that used it fails by itself.
  pool.on("error", () => {});
  pool.on("connect", (client) => client.on("error", () => {}));
  /** @type {Set<Flight>} */
  const flights = new Set();
  let calls = 0;

  const server = createServer(async (request, response) => {
    calls += 1;
    /** @type {Flight} */
    const flight = { backend: undefined, cut: () => request.socket.destroy() };
    flights.add(flight);
    try {
      const body = Buffer.concat(await request.toArray()).toString("utf8");
      const answer = await run(
        pool,
        RPC.exec(request.url ?? "")?.[1],
        request.headers.apikey,
        body,
        flight,
      );
      respond(response, 200, answer);
    } catch (error) {
      const { code } = /** @type {{ code?: string }} */ (error);
      // PostgREST's own mapping, as far as it occurs here: lost sessions and shutdowns are 503, bad data is 400.
      const lost = code === undefined || /^(08|53|57|E)/.test(code);
      respond(response, lost ? 503 : 400, {
        code: lost ? "PGRST001" : code,
        message: null,
        details: null,
        hint: null,
      });
    } finally {
      flights.delete(flight);
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  return {
    url: `http://127.0.0.1:${port}`,
    flights,
    calls: () => calls,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await pool.end();
    },
  };
}

/**
 * @param {pg.Pool} pool @param {string | undefined} name @param {unknown} key @param {string} body
 * @param {Flight} flight
 */
async function run(pool, name, key, body, flight) {
  if (key !== secretKey || name === undefined) {
    throw Object.assign(new Error("refused"), { code: "42501" });
  }
  const values = Object.entries(JSON.parse(body));
  const client = await pool.connect();
  flight.backend = /** @type {{ processID?: number }} */ (/** @type {unknown} */ (client))
    .processID;
  let broken;
  try {
    await client.query(
      "begin; set local role service_role; set local statement_timeout = '8s'",
    );
    const { rows } = await client.query(
      call(name, values),
      values.map(([, value]) => typeof value === "string" ? value : JSON.stringify(value)),
    );
    await client.query("commit");
    return rows[0].answer;
  } catch (error) {
    broken = error instanceof Error ? error : new Error("lost");
    throw error;
  } finally {
    // It is destroyed rather than reused, because its transaction may still be open.
    client.release(broken);
  }
}

/** @param {import("node:http").ServerResponse} response @param {number} status @param {unknown} body */
function respond(response, status, body) {
  if (response.destroyed) return;
  response.writeHead(status, {
    "content-type": "application/json; charset=utf-8",
  });
  response.end(JSON.stringify(body));
}
