/** The gate's interface over the Zod contender of the validation bench. */
import type { Gate } from "../../supabase/functions/ingest/gate.ts";
import zod from "../contenders/zod.ts";
import type { Snapshot } from "../contenders/types.ts";
import { contract, snapshot } from "../setting.ts";

zod.load(snapshot, contract);

export const zodGate: Gate = {
  judge(body, context) {
    const { accepted, rejected, argument, answer } = zod.judge(body, context);
    const total = accepted + rejected;
    return {
      accepted,
      rejected,
      total,
      readable: true,
      argument: argument.slice(),
      answer: answer.slice(),
    };
  },
  loadRegistry: (registry) => {
    zod.load(JSON.parse(String(registry)) as Snapshot, contract);
    return undefined;
  },
  contract: () => contract as ReturnType<Gate["contract"]>,
};
