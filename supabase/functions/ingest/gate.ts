/** The contract, as WebAssembly. The only module that knows how it is loaded. */

import * as module from "../../../pkg/inline.js";

export type { Bytes, Caller as CallerKind, Judgement } from "../../../pkg/inline.js";

export type Gate = Pick<typeof module, "judge" | "loadRegistry" | "contract">;

export const gate: Gate = module;
