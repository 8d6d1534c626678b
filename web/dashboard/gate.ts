/** The contract in the page: loaded when a reader first asks what would pass now. */
import init, * as wasm from "../../pkg/audience_gate.js";

export type Gate = Pick<typeof wasm, "check" | "contract" | "loadRegistry" | "redact">;

let loading: Promise<unknown> | undefined;

/** The contract with this registry; the one of the site in force now is in `room.registry()`. */
export async function gate(registry: Promise<object>): Promise<Gate> {
  loading ??= init().catch((error: unknown) => {
    loading = undefined;
    throw error;
  });
  const [text] = await Promise.all([registry.then((one) => JSON.stringify(one)), loading]);
  wasm.loadRegistry(text);
  return wasm;
}
