/** Projects that exist, as their owners left them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../runner/paths.mjs";

/**
 * @typedef {object} Shape
 * @property {string} name
 * @property {Record<string, string>} files
 * @property {15 | 17} version of Postgres
 * @property {boolean} [openByDefault]
 * @property {boolean} [again] whether the short form, too, has the gate installed a second time after it was taken out
 * @property {RegExp} [refused] what the preflight says, where the gate cannot be installed
 */

const CONFIG = `project_id = "shop"

[api]
schemas = ["public", "graphql_public"] # what the API shows
max_rows = 500
`;

const OLD_CONFIG = `# A string used to distinguish different Supabase projects on the same host.
project_id = "old"\r
\r
[functions]\r
  # indented, as we like it\r
  [functions.hello]\r
  verify_jwt = true`;

const NEW_CONFIG = `project_id = "new"

[functions.hello]
enabled = true
import_map = "./functions/hello/deno.json"
entrypoint = "./functions/hello/index.ts"

[db.seed]
enabled = false # we seed by hand
`;

const ORDERS = `create table public.orders (id bigint generated always as identity primary key, total numeric not null);
alter table public.orders enable row level security;
create policy orders_read on public.orders for select to authenticated using (true);
create view public.order_totals as select sum(total) from public.orders;
create function public.order_count() returns bigint language sql stable as 'select count(*) from public.orders';
insert into public.orders (total) select n from generate_series(1, 100) n;
`;

/** The team's two documents as they were run: their tables, policies and trigger, and rows from before. */
const documents = () => readFileSync(join(root, "tests/database/legacy.sql"), "utf8");

/** @type {Shape[]} */
export const SHAPES = [
  { name: "an empty new project", version: 15, files: { "config.toml": 'project_id = "empty"\n' } },
  {
    name: "migrations of its own",
    version: 17,
    again: true,
    files: {
      "config.toml": CONFIG,
      "migrations/20240102030405_orders.sql": ORDERS,
      "migrations/20250102030405_notes.sql": "create table public.notes (id uuid primary key, text text);\n",
      ".gitignore": ".branches\n.temp",
    },
  },
  {
    name: "a squashed history that ends in the future",
    version: 15,
    files: { "config.toml": CONFIG, "migrations/20991231235958_remote_schema.sql": ORDERS },
  },
  {
    name: "a table audience_sites, a function and a type of its own",
    version: 15,
    files: {
      "config.toml": CONFIG,
      "migrations/20240102030405_sites.sql": `create table public.audience_sites (id int primary key, name text);
        create table public.audience_events (id uuid primary key, session_id text, user_id text);
        create function public.validate_audience_event(event jsonb) returns boolean language sql as 'select true';
        create schema audience_gate;\n`,
    },
    refused:
      /schema audience_gate: rename[\s\S]*audience_sites[\s\S]*validate_audience_event\(jsonb\)[\s\S]*no column created_at[\s\S]*user_id of public\.audience_events is of type text and must be uuid/,
  },
  {
    name: "functions of its own with an import map, and secrets",
    version: 17,
    files: {
      "config.toml": NEW_CONFIG,
      "functions/hello/index.ts": 'import { ok } from "ok";\nDeno.serve(() => new Response(ok));\n',
      "functions/hello/deno.json": '{ "imports": { "ok": "./ok.ts" } }\n',
      "functions/hello/ok.ts": 'export const ok = "ok";\n',
      "functions/.env": "STRIPE_KEY=theirs",
      ".gitignore": ".branches\nfunctions/.env\n",
    },
  },
  {
    name: "an older config.toml with comments, indents and the line ends of Windows",
    version: 17,
    files: { "config.toml": OLD_CONFIG, "migrations/1_first.sql": "create table public.first (id int primary key);\n" },
  },
  {
    name: "the two documents that the gate was specified by",
    version: 15,
    again: true,
    files: { "config.toml": CONFIG, "migrations/20260314000000_audience.sql": documents() },
  },
  {
    name: "a schema that is open to the API by default",
    version: 17,
    files: { "config.toml": CONFIG, "migrations/20240102030405_orders.sql": ORDERS },
    openByDefault: true,
  },
];
