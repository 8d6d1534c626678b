/** Contender: this package, by its inline entry. */
import { judge, loadRegistry } from "../../pkg/inline.js";
import type { Contender } from "./types.ts";

const seed = crypto.getRandomValues(new Uint8Array(16));

const contender: Contender = {
  load: (snapshot) => loadRegistry(snapshot),
  judge: (body, { caller, callerId, origin, receivedAt }) =>
    judge(body, { caller, callerId, origin, receivedAt, seed }),
};
export default contender;
