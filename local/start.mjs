#!/usr/bin/env node
/** `npm start`: the whole of audience-gate on this machine, on one port. Nothing else is imported before Node's level is known. */
import { refuseOldNode } from "./node.mjs";

refuseOldNode();
const { main } = await import("./main.mjs");
await main(process.argv.slice(2));
