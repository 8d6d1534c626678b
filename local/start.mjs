#!/usr/bin/env node
/** `npm start`: the whole of audience-gate on this machine, behind one port. Nothing is imported before Node's age is known. */
const [major] = process.versions.node.split(".").map(Number);
if (major < 20) {
  console.error(`audience-gate needs Node 20 or newer; this is ${process.version}. Get one from https://nodejs.org`);
  process.exit(1);
}
const { main } = await import("./main.mjs");
await main(process.argv.slice(2));
