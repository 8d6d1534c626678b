/** A server of the Model Context Protocol over standard input and output: agents ask it what an event must be. */
import { createInterface } from "node:readline";
import process from "node:process";
import { Refusal } from "./errors.mjs";
import { toolsFor } from "./mcp_tools.mjs";
import { registryText } from "./registry.mjs";
import { registry as shipped, version } from "./shipped.mjs";

/** @typedef {import("./mcp_tools.mjs").Tool} Tool */
/** @typedef {import("./mcp_tools.mjs").Values} Values */

/** The revisions of the protocol that this server speaks, the newest first. */
const REVISIONS = ["2025-06-18", "2025-03-26", "2024-11-05"];

/** The codes of JSON-RPC. */
const CODE = { parse: -32700, method: -32601, parameters: -32602 };

class RpcError extends Error {
  /** @param {number} code @param {string} message */
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/** @type {import("./command.mjs").Command} */
export const command = {
  help: `Usage: audience-gate mcp [OPTIONS]

Serves the Model Context Protocol on standard input and output, for agents that write or debug events: they list rules and event
types, have an event judged, and have a rejection explained. Nothing is sent or recorded.

  --registry FROM  a file, or the address of the function with /registry; the event types that ship where it is not given
`,
  options: { registry: { type: "string" } },
  positionals: 0,
  run: async (values) => {
    const snapshot = await registryText(values) ?? shipped();
    const tools = toolsFor(snapshot);
    for await (const line of createInterface({ input: process.stdin })) {
      if (line.trim() === "") continue;
      const answer = answerTo(line, tools);
      if (answer) process.stdout.write(`${JSON.stringify(answer)}\n`);
    }
    return 0;
  },
};

/** @param {string} line @param {Record<string, Tool>} tools @returns {object | undefined} nothing for a notification */
function answerTo(line, tools) {
  const head = { jsonrpc: "2.0" };
  /** @type {{ id?: unknown, method?: unknown, params?: Values }} */
  let request;
  try {
    request = JSON.parse(line) ?? {};
  } catch {
    return { ...head, id: null, error: { code: CODE.parse, message: "a line holds one message as JSON" } };
  }
  const { id, method, params = {} } = request;
  if (id === undefined || typeof method !== "string") return undefined;
  try {
    return { ...head, id, result: result(method, params, tools) };
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
    return { ...head, id, error: { code: error.code, message: error.message } };
  }
}

/** @param {string} method @param {Values} params @param {Record<string, Tool>} tools */
function result(method, params, tools) {
  switch (method) {
    case "initialize": {
      const asked = String(params.protocolVersion);
      return {
        protocolVersion: REVISIONS.includes(asked) ? asked : REVISIONS[0],
        capabilities: { tools: {} },
        serverInfo: { name: "audience-gate", version: version() },
      };
    }
    case "ping":
      return {};
    case "tools/list":
      return {
        tools: Object.entries(tools).map(([name, { description, properties, required = [] }]) => ({
          name,
          description,
          inputSchema: { type: "object", properties, required, additionalProperties: false },
          annotations: { readOnlyHint: true },
        })),
      };
    case "tools/call":
      return called(params, tools);
    default:
      throw new RpcError(CODE.method, `there is no method ${method}`);
  }
}

/** @param {Values} params @param {Record<string, Tool>} tools */
function called({ name, arguments: given = {} }, tools) {
  const tool = Object.hasOwn(tools, String(name)) ? tools[String(name)] : undefined;
  if (!tool) throw new RpcError(CODE.parameters, `there is no tool ${name}; tools/list names them`);
  const values = /** @type {Values} */ (typeof given === "object" && given !== null ? given : {});
  const content = (/** @type {string} */ text) => [{ type: "text", text }];
  try {
    for (const needed of tool.required ?? []) if (!(needed in values)) throw new Refusal(`${name} needs ${needed}`);
    return { content: content(JSON.stringify(tool.answer(values), null, 2)) };
  } catch (error) {
    // What an agent can mend is told as an answer, so that it sees it.
    if (error instanceof Refusal || error instanceof TypeError) {
      return { content: content(error.message), isError: true };
    }
    throw error;
  }
}
