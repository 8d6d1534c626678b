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
 * @property {boolean} [cron] whether the server has pg_cron
 * @property {string} [platform] SQL that a superuser ran, as the platform does for its owners
 * @property {string} [byHand] SQL that no migration has, as of another tool or of the dashboard
 * @property {[sql: string, rows: object[]][]} [works] what is asked once the gate is in, and again once it is out
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

/** How every dump begins; the CLI writes one as the first migration of a project whose database came first. */
const DUMP = `SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
CREATE EXTENSION IF NOT EXISTS "pgcrypto" WITH SCHEMA "extensions";
SET default_tablespace = '';
SET default_table_access_method = "heap";
CREATE TYPE "public"."state" AS ENUM ('Open', 'Closed');
CREATE TABLE IF NOT EXISTS "public"."Audience" ("Id" uuid PRIMARY KEY DEFAULT "extensions"."gen_random_uuid"(), "State" "public"."state");
ALTER TABLE "public"."Audience" OWNER TO "postgres";
CREATE OR REPLACE FUNCTION "public"."touch"() RETURNS "trigger" LANGUAGE "plpgsql" AS $$begin return new; end$$;
CREATE TRIGGER "touch" BEFORE UPDATE ON "public"."Audience" FOR EACH ROW EXECUTE FUNCTION "public"."touch"();
ALTER TABLE "public"."Audience" ENABLE ROW LEVEL SECURITY;
GRANT ALL ON TABLE "public"."Audience" TO "anon";
ALTER DEFAULT PRIVILEGES FOR ROLE "postgres" IN SCHEMA "public" GRANT ALL ON SEQUENCES TO "anon";
ALTER DEFAULT PRIVILEGES FOR ROLE "postgres" IN SCHEMA "public" GRANT ALL ON FUNCTIONS TO "anon";
RESET ALL;
`;

/** What Prisma keeps, in the names that it gives. */
const PRISMA =
  `create table public."_prisma_migrations" (id varchar(36) primary key, migration_name varchar(255) not null);
create type public."UserRole" as enum ('ADMIN', 'READER');
create table public."User" (id text primary key, "createdAt" timestamp(3) not null default current_timestamp,
  role public."UserRole" not null default 'READER');
create unique index "User_createdAt_key" on public."User" ("createdAt");
insert into public."User" (id) values ('clh0');
`;

/** A trigger of theirs that sees every table made: it puts each under row level security. */
const SECURED = `create function public.secure_tables() returns event_trigger language plpgsql security definer
  set search_path = '' as $$
declare made record;
begin
  for made in select * from pg_event_trigger_ddl_commands() where command_tag = 'CREATE TABLE' and schema_name = 'public'
  loop execute format('alter table if exists %s enable row level security', made.object_identity); end loop;
end $$;
create event trigger secure_tables on ddl_command_end when tag in ('CREATE TABLE') execute function public.secure_tables();
create publication everything for all tables;
`;

/** What a setting of the role or the database makes another text of. */
const ABROAD = `alter role postgres set timezone to 'America/St_Johns';
alter role postgres set datestyle to 'German, DMY';
alter role postgres set intervalstyle to 'iso_8601';
alter role postgres set bytea_output to 'escape';
alter role postgres set default_transaction_isolation to 'serializable';
alter role postgres set extra_float_digits to 0;
alter role postgres set quote_all_identifiers to on;
alter role postgres set statement_timeout to '60s';
`;

const NEWEST_CONFIG = `#:schema https://json.schemastore.org/supabase-config.json
project_id = "newest"

[api]
enabled = true
schemas = ["public"]

[edge_runtime]
enabled = true
policy = "per_worker"
deno_version = 2

[functions.report]
verify_jwt = true
static_files = ["./functions/report/*.html"]

[remotes.staging]
project_id = "abcdefghijklmnopqrst"

[remotes.staging.functions.report]
verify_jwt = false # nobody else reaches it
`;

/** The team's two documents as they were run: their tables, policies and trigger, and rows from before. */
const documents = () => readFileSync(join(root, "tests/database/legacy.sql"), "utf8");

/** What Realtime makes in a project's database, and a topic of theirs in it. */
const realtime = () => readFileSync(join(root, "tests/database/realtime.sql"), "utf8");
const ROOMS = `create policy rooms on realtime.messages for select to authenticated using (topic like 'room:%');`;

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
  {
    name: "a dump as its first migration",
    version: 17,
    files: { "config.toml": CONFIG, "migrations/20250607080910_remote_schema.sql": DUMP },
  },
  {
    name: "a database that another tool migrates, and no migrations",
    version: 15,
    files: { "config.toml": 'project_id = "prisma"\n', ".gitignore": "# none of it\n*.local" },
    byHand: PRISMA,
    works: [['select id, role::text from public."User"', [{ id: "clh0", role: "READER" }]]],
  },
  {
    name: "a trigger that sees every table made, and a publication of all tables",
    version: 17,
    files: { "config.toml": CONFIG, "migrations/20240102030405_orders.sql": ORDERS },
    platform: SECURED,
    works: [["select pubname from pg_publication where puballtables", [{ pubname: "everything" }]]],
  },
  {
    name: "another time zone, date style and way to write values",
    version: 15,
    files: { "config.toml": CONFIG, "migrations/20240102030405_orders.sql": ORDERS },
    byHand: ABROAD,
    works: [["show datestyle", [{ DateStyle: "German, DMY" }]]],
  },
  {
    name: "jobs of its own in pg_cron, and vaguely named files",
    version: 15,
    cron: true,
    files: {
      "config.toml": CONFIG,
      "migrations/20240102030405_jobs.sql": "select cron.schedule('audience nightly', '0 3 * * *', 'select 1');\n",
      "migrations/README.md": "Ours.\n",
      "migrations/archive/20200102030405_old.sql": "drop schema public cascade;\n",
      "migrations/20240102030405_jobs.sql.bak": "drop schema public cascade;\n",
      "functions/_shared/ingest.ts": "export const ingest = 1;\n",
      "functions/ingest-orders/index.ts": "Deno.serve(() => new Response());\n",
    },
    works: [["select jobname from cron.job", [{ jobname: "audience nightly" }]]],
  },
  {
    name: "Realtime, with a policy of its own on the messages",
    version: 15,
    files: { "config.toml": CONFIG },
    platform: realtime(),
    byHand: ROOMS,
    works: [["select qual from pg_policies where schemaname = 'realtime' and policyname = 'rooms'", [
      { qual: "(topic ~~ 'room:%'::text)" },
    ]]],
  },
  {
    name: "the newest config.toml, with other places and files beside a function",
    version: 17,
    files: {
      "config.toml": NEWEST_CONFIG,
      "functions/report/index.ts": 'Deno.serve(async () => new Response(await Deno.readTextFile("./page.html")));\n',
      "functions/report/page.html": "<!doctype html>",
    },
  },
  {
    name: "no rights that it did not grant",
    version: 17,
    files: {
      "config.toml": CONFIG,
      "migrations/20240102030405_closed.sql": `alter default privileges revoke execute on functions from public;
        alter default privileges in schema public revoke all on tables from anon, authenticated, service_role;
        alter default privileges in schema public revoke all on sequences from anon, authenticated, service_role;
        revoke all on schema public from public;
        ${ORDERS}`,
    },
  },
];
