import { gate } from "./gate.ts";
import { createIngest } from "./ingest.ts";
import { liveDeps } from "./live.ts";
import { readSettings } from "./settings.ts";

const settings = readSettings((name) => Deno.env.get(name));

Deno.serve(createIngest(liveDeps(gate, settings)));
