/** The document's table under several techniques, each of which takes the same statements. */

/** How many records each table has when statements begin. */
export const RECORDS = 10_000;

/** Somebody who is signed in. */
export const PERSON = "00000000-0000-4000-8000-00000000000a";

/** @param {number} number */
export const recordId = (number) => `00000000-0000-4000-9000-${String(number).padStart(12, "0")}`;

/** What becomes of a change in each table; the first is what the others are compared with. */
export const TABLES = {
  unwatched: "nothing",
  tracked: "`track_lifecycle`",
  with_deletes: "the same, deletes recorded",
  documented: "the document's own trigger",
  audited: "supa_audit's technique",
  least: "a trigger that appends to a heap",
};

const table = (/** @type {string} */ name) => `
  create table public.${name} (
    id uuid primary key default gen_random_uuid(), first_name text not null, last_name text not null, email text, phone text,
    stage text not null default 'first', assigned_to uuid references auth.users (id), created_at timestamptz default now(),
    updated_at timestamptz default now()) with (fillfactor = 70);
  grant all on public.${name} to authenticated;
  insert into public.${name} (id, first_name, last_name)
  select ('00000000-0000-4000-9000-' || lpad(n::text, 12, '0'))::uuid, 'Some', 'Body' from generate_series(1, ${RECORDS}) n;`;

const TRACKED = `
  select audience_gate.track_lifecycle('public.tracked', 'stage', '{"entity": "tracked"}');
  select audience_gate.track_lifecycle('public.with_deletes', 'stage', '{"entity": "with_deletes", "deletes": "record"}');`;

const DOCUMENTED = `
  create table public.documented_events (
    id uuid primary key default gen_random_uuid(), documented_id uuid not null references public.documented (id),
    from_stage text, to_stage text not null, changed_by uuid references auth.users (id),
    changed_at timestamptz default now(), notes text);
  create index on public.documented_events (documented_id, changed_at);
  create function public.record_documented() returns trigger language plpgsql security definer as $$
  begin
    if old.stage is distinct from new.stage then
      insert into public.documented_events (documented_id, from_stage, to_stage, changed_by, notes)
      values (new.id, old.stage, new.stage, auth.uid(), null);
    end if;
    return new;
  end $$;
  create trigger documented after update of stage on public.documented
  for each row execute function public.record_documented();`;

/** As supa_audit records: each row as jsonb, before and after. */
const AUDITED = `
  create table public.record_version (
    id bigint generated always as identity primary key, record_id uuid, old_record_id uuid, op text,
    ts timestamptz not null default now(), table_oid oid not null, table_schema name, table_name name, record jsonb,
    old_record jsonb, auth_uid uuid default auth.uid());
  create index on public.record_version (record_id) where record_id is not null;
  create index on public.record_version (old_record_id) where old_record_id is not null;
  create index on public.record_version using brin (ts);
  create index on public.record_version (table_oid);
  create function public.record_audited() returns trigger language plpgsql security definer as $$
  declare
    after jsonb := to_jsonb(new);
    before jsonb := to_jsonb(old);
  begin
    insert into public.record_version
      (record_id, old_record_id, op, table_oid, table_schema, table_name, record, old_record)
    select md5(tg_relid || (after ->> 'id'))::uuid, md5(tg_relid || (before ->> 'id'))::uuid, tg_op, tg_relid,
      tg_table_schema, tg_table_name, after, before;
    return coalesce(new, old);
  end $$;
  create trigger audited after insert or update or delete on public.audited
  for each row execute function public.record_audited();`;

/** What no trigger undercuts: neither keys nor an index, no reference, nobody is kept from writing, and nobody is named. */
const LEAST = `
  create table public.least_events (least_id uuid, from_stage text, to_stage text, changed_at timestamptz);
  grant all on public.least_events to authenticated;
  create function public.record_least() returns trigger language plpgsql as $$
  begin
    insert into public.least_events values (new.id, old.stage, new.stage, clock_timestamp());
    return null;
  end $$;
  create trigger least after update of stage on public.least
  for each row when (old.stage is distinct from new.stage) execute function public.record_least();`;

export const SETUP = [
  `insert into auth.users (id, email) values ('${PERSON}', 'staff@example.com');`,
  ...Object.keys(TABLES).map(table),
  TRACKED,
  DOCUMENTED,
  AUDITED,
  LEAST,
].join("\n");
