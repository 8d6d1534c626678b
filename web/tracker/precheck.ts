// The check in the page: the contract, asked for once there is something to judge, and never waited for when the page closes.
import type { Clock } from "./clock.ts";
import type { Contract } from "./contract.ts";
import { hashEmail } from "./email.ts";
import { anyHoldsAddress } from "./guard.ts";
import type { Violation } from "./types.ts";

export type Precheck = {
  load(): Promise<void>;
  /** The contract has arrived or will not arrive, so events need not wait any longer. */
  settled(): boolean;
  available(): boolean;
  judge(text: string, userId: string | null): readonly Violation[];
  hash(email: string): string | undefined | Promise<string | undefined>;
  /** An event as text without anything personal; undefined where only the server could say what is. */
  redact(text: string): string | undefined;
};

const LOADING_LIMIT = 3000;

export function createPrecheck(
  address: string | false | undefined,
  endpoint: string,
  key: string,
  siteId: string | undefined,
  clock: Clock,
  failed: (error: unknown) => void,
): Precheck {
  let contract: Contract | undefined;
  let settled = !address;
  let loading: Promise<void> | undefined;

  const arrive = async () => {
    const module: typeof import("./contract.ts") = await import(/* @vite-ignore */ address as string);
    contract = await module.load(endpoint, key, siteId, clock.learn);
  };
  const load = (): Promise<void> => {
    loading ??=
      (settled
        ? Promise.resolve()
        : Promise.race([arrive(), new Promise<void>((done) => setTimeout(done, LOADING_LIMIT))]))
        .catch(failed)
        .then(() => {
          settled = true;
        });
    return loading;
  };

  return {
    load,
    settled: () => settled,
    available: () => contract !== undefined,
    judge(text, userId) {
      if (contract) return contract.check(text, userId, clock.now());
      // Even without the contract, no address leaves the page.
      if (!anyHoldsAddress(text)) return [];
      const reason = "the event holds an e-mail address; send it as `email`, and it is hashed in the page";
      return [{ rule_id: "privacy.raw_email", reason }];
    },
    hash(email) {
      if (contract) return contract.hashEmail(email);
      // Outside secure contexts only WebAssembly can hash.
      return crypto.subtle ? hashEmail(email) : load().then(() => contract?.hashEmail(email));
    },
    redact: (text) => contract?.redact(text),
  };
}
