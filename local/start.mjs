#!/usr/bin/env node
/** `npm start`: all of audience-gate on this machine, on one port. Nothing else is imported before Node's version is checked. */
import { refuseOldNode } from "./node.mjs";

refuseOldNode();
const { main } = await import("./main.mjs");
await main(process.argv.slice(2));
