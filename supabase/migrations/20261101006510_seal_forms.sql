-- What is hashed of a row. A text follows its length in bytes, and what is missing is a colon alone, so that no two rows
-- are written alike; times are microseconds since 1970. The command line writes the same (crates/cli/src/seal/form.rs).
--
-- Two parts: what can tell a person goes into the commitment, with a salt; the rest stands beside the commitment, and can
-- be shown without it.
--
-- The functions have no search_path of their own, because with one they could not be inlined, and a row would cost a
-- hundred times as much; the names in their bodies are bound here. Those that turn text into bytes are stable, as
-- convert_to() is.

create or replace function audience_gate.part(value text)
returns text
language sql
immutable
parallel safe
return case when value is null then ':' else octet_length(value)::text || ':' || value end;
comment on function audience_gate.part(text) is 'A value as it is written for hashing.';

create or replace function audience_gate.micros(at timestamptz)
returns text
language sql
immutable
parallel safe
return case
  when isfinite(at) then ((extract(epoch from at - '1970-01-01 00:00:00+00'::timestamptz) * 1000000)::bigint)::text
  when at > '1970-01-01 00:00:00+00'::timestamptz then 'infinity'
  when at < '1970-01-01 00:00:00+00'::timestamptz then '-infinity'
end;
comment on function audience_gate.micros(timestamptz) is 'A time as it is written for hashing.';

create or replace function audience_gate.day_number(at timestamptz)
returns text
language sql
immutable
parallel safe
return case
  when isfinite(at) then (floor(extract(epoch from at - '1970-01-01 00:00:00+00'::timestamptz) / 86400)::bigint)::text
end;
comment on function audience_gate.day_number(timestamptz) is 'The day of a time in UTC as it is written for hashing: days since 1970.';

create or replace function audience_gate.event_commitment(
  salt bytea, user_id uuid, session_id text, utm_source text, utm_medium text, utm_campaign text, utm_content text, utm_term text,
  occurred_at timestamptz, metadata jsonb
)
returns bytea
language sql
stable
parallel safe
return sha256(salt || convert_to(
  audience_gate.part(user_id::text) || audience_gate.part(session_id) || audience_gate.part(utm_source)
    || audience_gate.part(utm_medium) || audience_gate.part(utm_campaign) || audience_gate.part(utm_content)
    || audience_gate.part(utm_term) || audience_gate.part(audience_gate.micros(occurred_at)) || audience_gate.part(metadata::text),
  'UTF8'));
comment on function audience_gate.event_commitment(bytea, uuid, text, text, text, text, text, text, timestamptz, jsonb) is
  'The commitment to what can tell a person in an event.';

create or replace function audience_gate.event_entry(
  id uuid, created_at timestamptz, site_id uuid, rejected boolean, event_type text, event_category text, event_source text,
  contract text, occurred_at timestamptz
)
returns text
language sql
immutable
parallel safe
return 'event' || audience_gate.part(id::text) || audience_gate.part(audience_gate.micros(created_at))
  || audience_gate.part(site_id::text) || audience_gate.part(case when rejected then 't' else 'f' end)
  || audience_gate.part(event_type) || audience_gate.part(event_category) || audience_gate.part(event_source)
  || audience_gate.part(contract) || audience_gate.part(audience_gate.day_number(coalesce(occurred_at, created_at)));
comment on function audience_gate.event_entry(uuid, timestamptz, uuid, boolean, text, text, text, text, timestamptz) is
  'What a leaf says of an event beside the commitment: nothing in it can tell a person.';

create or replace function audience_gate.event_leaf(
  id uuid, created_at timestamptz, site_id uuid, rejected boolean, event_type text, event_category text, event_source text,
  contract text, occurred_at timestamptz, commitment bytea
)
returns bytea
language sql
stable
parallel safe
return sha256('\x00'::bytea || convert_to(
  audience_gate.event_entry(
    id, created_at, site_id, rejected, event_type, event_category, event_source, contract, occurred_at),
  'UTF8') || commitment);
comment on function audience_gate.event_leaf(uuid, timestamptz, uuid, boolean, text, text, text, text, timestamptz, bytea) is
  'The hash of an event as a leaf: its type, site and day stay provable without what can tell a person.';

create or replace function audience_gate.change_commitment(
  salt bytea, user_id uuid, changed_by text, notes text, event_id uuid
)
returns bytea
language sql
stable
parallel safe
return sha256(salt || convert_to(
  audience_gate.part(user_id::text) || audience_gate.part(changed_by) || audience_gate.part(notes) || audience_gate.part(event_id::text),
  'UTF8'));
comment on function audience_gate.change_commitment(bytea, uuid, text, text, uuid) is
  'The commitment to what can tell a person in a change of state.';

create or replace function audience_gate.change_leaf(
  id bigint, site_id uuid, from_state text, to_state text, changed_at timestamptz, effective_at timestamptz, rule_id text,
  commitment bytea
)
returns bytea
language sql
stable
parallel safe
return sha256('\x00'::bytea || convert_to(
  'change' || audience_gate.part(id::text) || audience_gate.part(site_id::text) || audience_gate.part(from_state)
    || audience_gate.part(to_state) || audience_gate.part(audience_gate.micros(changed_at))
    || audience_gate.part(audience_gate.micros(effective_at)) || audience_gate.part(rule_id),
  'UTF8') || commitment);
comment on function audience_gate.change_leaf(bigint, uuid, text, text, timestamptz, timestamptz, text, bytea) is
  'The hash of a change of state as a leaf.';
