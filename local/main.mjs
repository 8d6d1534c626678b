import { relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { writable } from "./command.mjs";
import { installPackages } from "./install.mjs";
import { Progress } from "./progress.mjs";
import { defaultFolder, root } from "./settings.mjs";

const HELP = `npm start -- [options]

  --port PORT     listen on this port or fail (otherwise 54321 or the next free port)
  --data FOLDER   keep the data there (otherwise .local)
  --reset         forget all data first
  --empty         without the demo site
  --help          this text

Stop with Ctrl-C. The data stays, and the next start has it again.`;

/** @param {string[]} argv */
export async function main(argv) {
  const progress = new Progress();
  try {
    const options = read(argv);
    if (options.help) {
      console.log(HELP);
      return;
    }
    await installPackages("start", progress);
    if (!writable(options.folder)) {
      throw new Error(
        `the data goes to ${options.folder}, which cannot be written to; choose another folder: npm start -- --data FOLDER`,
      );
    }
    // Imported only now, because a fresh clone has nothing to import it from before.
    const { startStack } = await import("./stack.mjs");
    const stack = await startStack({ ...options, say: (message) => progress.step(message) });
    progress.end();
    endWith(stack);
    const { greeting } = await import("./greeting.mjs");
    console.log(greeting(stack, { asked: options.port, folder: relative(root, options.folder) || "." }));
  } catch (error) {
    progress.end();
    const { message, cause } = /** @type {Error} */ (error);
    console.error(`could not start: ${message}${cause instanceof Error ? ` (${cause.message})` : ""}`);
    process.exit(1);
  }
}

function read(/** @type {string[]} */ argv) {
  const { values } = parseArgs({
    args: argv,
    options: {
      port: { type: "string" },
      data: { type: "string" },
      reset: { type: "boolean", default: false },
      empty: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  const port = values.port === undefined ? undefined : Number(values.port);
  if (port !== undefined && !(Number.isInteger(port) && port > 0 && port < 65536)) {
    throw new Error(`--port takes a number from 1 to 65535, not ${values.port}`);
  }
  return {
    port,
    folder: values.data ? resolve(values.data) : defaultFolder,
    reset: values.reset,
    demo: !values.empty,
    help: values.help,
  };
}

/** Ctrl-C closes the database properly; a second one does not wait for it. */
function endWith(/** @type {import("./stack.mjs").Stack} */ stack) {
  let ending = false;
  for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) {
    process.on(signal, async () => {
      if (ending) process.exit(130);
      ending = true;
      console.error("\nstopping");
      await stack.close();
      process.exit(0);
    });
  }
}
