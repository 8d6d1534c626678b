/** The same function with Zod 4 in the gate's place: everything around the verdicts is the same code. */
import { createIngest } from "../../supabase/functions/ingest/ingest.ts";
import { liveDeps } from "../../supabase/functions/ingest/live.ts";
import { readSettings } from "../../supabase/functions/ingest/settings.ts";
import { zodGate } from "./zod-gate.ts";

const settings = readSettings((name) => Deno.env.get(name));
Deno.serve(createIngest(liveDeps(zodGate, settings)));
