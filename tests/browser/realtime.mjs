// A WebSocket server of the tests' own that speaks as much of the protocol of Supabase Realtime as the dashboard uses: channels of
// Phoenix 1.0.0, with private topics, renewed tokens and broadcasts. It stands in for Realtime, of which there is no server
// here; that the real one behaves the same is taken from its published source.
import { createHash } from "node:crypto";

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const [TEXT, CLOSE, PING, PONG] = [1, 8, 9, 10];
/** @typedef {{ topic: string, event: string, payload: any, ref: string | null }} Message */
/** @typedef {{ path: string, joined: Set<string>, send: (message: Message) => void, end: () => void }} Connection */

/** One frame as a server sends it. @param {number} kind @param {Buffer} content */
function frame(kind, content) {
  const size = content.length;
  const head = size < 126 ? Buffer.of(0x80 | kind, size) : Buffer.of(0x80 | kind, 126, size >> 8, size & 255);
  return Buffer.concat([head, content]);
}

/** The frames in what a browser sent, which masks them, and what is left over of the last. @param {Buffer} bytes */
function frames(bytes) {
  const found = [];
  for (let at = 0;;) {
    const short = bytes[at + 1] & 127;
    const head = at + (short === 126 ? 4 : 2);
    if (short === 127) throw new Error("the dashboard sends nothing that long");
    if (bytes.length < head + 4) return { found, rest: bytes.subarray(at) };
    const end = head + 4 + (short === 126 ? bytes.readUInt16BE(at + 2) : short);
    if (bytes.length < end) return { found, rest: bytes.subarray(at) };
    const content = Buffer.from(bytes.subarray(head + 4, end));
    for (let byte = 0; byte < content.length; byte += 1) content[byte] ^= bytes[head + byte % 4];
    found.push({ kind: bytes[at] & 15, content });
    at = end;
  }
}

/**
 * Answers on a server's `/realtime/v1/websocket`.
 *
 * @param {import("node:http").Server} server
 * @param {(topic: string, token: string) => Promise<boolean>} may whether whoever has this token may hear this topic
 */
export function realtime(server, may) {
  /** @type {Set<Connection>} */
  const open = new Set();
  const seen = {
    /** Tokens by which a topic was joined, and by which it was kept. @type {string[]} */
    joins: [],
    /** @type {string[]} */
    renewals: [],
    opened: 0,
    beats: 0,
    /** Whether connections are answered at all. */
    there: true,
    open,
    /** Ends every connection, as a network does. */
    drop: () => {
      for (const one of open) one.end();
    },
    /** Tells everybody on a topic. @param {string} topic @param {string} event @param {object} payload */
    broadcast: (topic, event, payload) => {
      for (const one of open) {
        if (!one.joined.has(`realtime:${topic}`)) continue;
        const content = { type: "broadcast", event, payload, meta: {} };
        one.send({ topic: `realtime:${topic}`, event: "broadcast", payload: content, ref: null });
      }
    },
  };

  server.on("upgrade", (request, socket) => {
    const path = request.url ?? "";
    if (!seen.there || !path.startsWith("/realtime/v1/websocket?")) {
      return socket.end("HTTP/1.1 404 Not Found\r\nconnection: close\r\n\r\n");
    }
    seen.opened += 1;
    const accept = createHash("sha1").update(`${request.headers["sec-websocket-key"]}${GUID}`).digest("base64");
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: ${accept}\r\n\r\n`,
    );
    /** @type {Connection} */
    const connection = {
      path,
      joined: new Set(),
      send: (message) => socket.write(frame(TEXT, Buffer.from(JSON.stringify(message)))),
      end: () => socket.destroy(),
    };
    open.add(connection);
    socket.on("close", () => open.delete(connection));
    socket.on("error", () => socket.destroy());
    let left = Buffer.alloc(0);
    socket.on("data", (/** @type {Buffer} */ bytes) => {
      const { found, rest } = frames(Buffer.concat([left, bytes]));
      left = Buffer.from(rest);
      for (const { kind, content } of found) {
        if (kind === PING) socket.write(frame(PONG, content));
        else if (kind === CLOSE) socket.end(frame(CLOSE, content.subarray(0, 2)));
        else if (kind === TEXT) void answer(connection, JSON.parse(String(content)));
      }
    });
  });
  return seen;

  /** @param {Connection} connection @param {Message} message */
  async function answer(connection, { topic, event, payload, ref }) {
    const reply = (/** @type {string} */ status, response = {}) =>
      connection.send({ topic, event: "phx_reply", payload: { status, response }, ref });
    if (event === "heartbeat") {
      seen.beats += 1;
      return reply("ok");
    }
    if (event === "access_token") return void seen.renewals.push(payload.access_token);
    if (event !== "phx_join") return;
    seen.joins.push(payload.access_token);
    const allowed = payload.config.private === true && await may(topic.replace(/^realtime:/, ""), payload.access_token);
    if (!allowed) {
      return reply("error", { reason: "Unauthorized: You do not have permissions to read from this Channel topic" });
    }
    connection.joined.add(topic);
    reply("ok", { postgres_changes: [] });
    connection.send({
      topic,
      event: "system",
      payload: { extension: "system", status: "ok", message: "Subscribed", channel: topic },
      ref: null,
    });
  }
}
