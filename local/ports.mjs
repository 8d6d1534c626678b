import { createServer } from "node:net";

/** A port that nothing listens on at the moment. @returns {Promise<number>} */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() =>
        typeof address === "object" && address ? resolve(address.port) : reject(new Error("no free port"))
      );
    });
  });
}

/**
 * Binds a server to a port; unless exactly that port is wanted, to the next free one of the twenty that follow.
 *
 * @param {import("node:http").Server} server
 * @param {number} port
 * @param {{ exactly: boolean }} wish
 * @returns {Promise<number>}
 */
export async function listen(server, port, { exactly }) {
  for (let candidate = port;; candidate += 1) {
    try {
      await bind(server, candidate);
      return candidate;
    } catch (error) {
      const { code } = /** @type {NodeJS.ErrnoException} */ (error);
      if (code !== "EADDRINUSE") throw error;
      if (exactly) {
        throw new Error(
          `port ${port} is taken; choose another with: npm start -- --port ${port + 1}`,
        );
      }
      if (candidate - port >= 20) {
        throw new Error(`ports ${port} to ${candidate} are all taken`);
      }
    }
  }
}

function bind(
  /** @type {import("node:http").Server} */ server,
  /** @type {number} */ port,
) {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => {
      server.off("error", reject);
      resolve(undefined);
    });
  });
}
