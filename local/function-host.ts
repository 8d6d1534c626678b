/**
 * Stands in for the Edge runtime: serves a function's own entry point, unchanged, at the given address.
 * Usage: function-host.ts PORT ENTRY. Ends when its parent closes the pipe, however the parent ends.
 */
const [port, entry] = Deno.args;
const { serve } = Deno;

function at(handler: Deno.ServeHandler) {
  return serve(
    {
      hostname: "127.0.0.1",
      port: Number(port),
      onListen: () => console.log("listening"),
    },
    handler,
  );
}

// The runtime decides where a function listens, whatever the function says.
Object.defineProperty(Deno, "serve", {
  value: (...args: unknown[]) => {
    const handler = args.find((value) => typeof value === "function") ??
      (args[0] as { handler: Deno.ServeHandler }).handler;
    return at(handler as Deno.ServeHandler);
  },
});

const module: { default?: { fetch?: Deno.ServeHandler } } = await import(entry);
if (module.default?.fetch) at(module.default.fetch);

const rest = new Uint8Array(64);
while (await Deno.stdin.read(rest) !== null);
Deno.exit();
