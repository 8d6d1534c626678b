#!/usr/bin/env node
/** `with.mjs NEED… -- PROGRAM ARGUMENT…`: makes sure that what a program needs is there, as for a suite, and runs it. */
import { refuseOldNode } from "../../local/node.mjs";

refuseOldNode();
const { pathToFileURL } = await import("node:url");
const { prepare } = await import("./prepare.mjs");

const split = process.argv.indexOf("--");
const [program, ...rest] = process.argv.slice(split + 1);
await prepare(/** @type {import("./system.mjs").Need[]} */ (process.argv.slice(2, split)));
process.argv = [process.argv[0], program, ...rest];
await import(pathToFileURL(program).href);
