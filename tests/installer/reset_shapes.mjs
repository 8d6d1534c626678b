/** Projects whose databases are made anew from their files, as a colleague or a branch makes them. */

/**
 * @typedef {object} Shape
 * @property {string} name
 * @property {Record<string, string>} files beside what the CLI writes for a new project
 * @property {Record<string, string>} [config] what the CLI's config.toml says, and what it says here
 * @property {RegExp} [told] what init says beside what it writes
 * @property {[sql: string, answer: unknown][]} holds what is then in the database
 */

const EVENT = `insert into public.audience_events
  (session_id, event_type, event_category, event_source, metadata)
  values ('session-seed-1', 'page_view', 'engagement', 'seed', '{"page_path": "/"}')`;

/** @type {Shape[]} */
export const SHAPES = [
  {
    name: "as the CLI has just made it, with functions that share code and have no import map",
    files: {
      "functions/_shared/cors.ts": "export const cors = {};\n",
      "functions/hello/index.ts":
        'import { cors } from "../_shared/cors.ts";\nDeno.serve(() => new Response("", { headers: cors }));\n',
    },
    holds: [],
  },
  {
    name: "with seeds in several files, which use the gate",
    config: { 'sql_paths = ["./seed.sql"]': 'sql_paths = ["./seeds/*.sql"]' },
    files: {
      "migrations/20240102030405_posts.sql": "create table public.posts (id int primary key);\n",
      "seeds/1_types.sql": `insert into public.audience_event_types (id, category, tier, score_weight, description)
        values ('webinar_joined', 'engagement', 'consumer', 3, 'a webinar was joined');`,
      "seeds/2_events.sql": `insert into public.posts values (7);\n${EVENT};`,
    },
    holds: [
      ["select count(*)::int from public.posts", 1],
      ["select count(*)::int from public.audience_events where event_source = 'seed' and not rejected", 1],
      ["select count(*)::int from public.audience_event_types where id = 'webinar_joined'", 1],
    ],
  },
  {
    name: "that declares its schemas",
    config: { "schema_paths = []": 'schema_paths = [\n  "./schemas/*.sql", # in order\n]' },
    files: {
      "schemas/1_shops.sql": "create table public.shops (id int primary key);\n",
      "migrations/20240102030405_shops.sql": "create table public.shops (id int primary key);\n",
    },
    told: /supabase db diff would drop the gate.*add "\.\/migrations\/\*_audience_gate_\*\.sql"/,
    holds: [["select to_regclass('public.shops') is not null", true]],
  },
  {
    name: "that declares the gate with its schemas",
    config: { "schema_paths = []": 'schema_paths = ["./schemas", "./migrations/*_audience_gate_*.sql"]' },
    files: { "schemas/1_shops.sql": "create table public.shops (id int primary key);\n" },
    holds: [],
  },
  {
    name: "with roles of its own and what they may do by default",
    files: {
      "roles.sql": "create role analyst;\n",
      "migrations/20240102030405_analyst.sql":
        `do $$ begin create role analyst; exception when duplicate_object then end $$;
        grant usage on schema public to analyst;
        grant analyst to postgres;
        alter default privileges in schema public grant select on tables to analyst;
        create table public.facts (id int primary key);\n`,
      "seed.sql": `${EVENT};`,
    },
    holds: [
      ["select has_table_privilege('analyst', 'public.facts', 'select')", true],
      ["set role analyst; select count(*)::int from public.audience_events", 0],
    ],
  },
  {
    name: "that shows other schemas first, and has a search path as dumps have it",
    config: {
      'schemas = ["public", "graphql_public"]': 'schemas = ["api", "public"]',
      'extra_search_path = ["public", "extensions"]': 'extra_search_path = ["api", "extensions"]',
    },
    files: {
      "migrations/20240102030405_api.sql": `create schema api;
        grant usage on schema api to anon, authenticated;
        create table api.audience_events (id int primary key);
        create function api.validate_audience_event(event jsonb) returns int language sql as 'select 7';
        alter role postgres set search_path = api, public;
        select pg_catalog.set_config('search_path', '', false);\n`,
    },
    holds: [
      ["select api.validate_audience_event('{}')", 7],
      ["select count(*)::int from public.validate_audience_event('{}') where rule_id = 'base.session_id'", 1],
      ["alter role postgres reset search_path; select 1", 1],
    ],
  },
  {
    name: "with names that begin like the gate's, and are not in its way",
    files: {
      "migrations/20240102030405_segments.sql": `create table public.audience_segments (id int primary key);
        create type public.audience_level as enum ('low', 'high');
        create function public.audience_size() returns int language sql as 'select 7';
        create schema audience;\n`,
    },
    holds: [["select public.audience_size()", 7]],
  },
];
