-- Any table under audit: the document's own schema and statements, on tables that the gate tracks.
begin;
create extension if not exists pgtap with schema extensions;
set local search_path = public, extensions;
select no_plan();
grant usage on schema extensions to authenticated;

insert into auth.users (id, email) values
  ('00000000-0000-4000-8000-00000000000a', 'staff@example.com'), ('00000000-0000-4000-8000-00000000000b', 'other@example.com');

create table prospects (
  id uuid primary key default gen_random_uuid(),
  first_name text not null,
  last_name text not null,
  email text,
  phone text,
  stage text not null default 'enquiry_received',
  assigned_to uuid references auth.users(id),
  created_at timestamptz default now(),
  updated_at timestamptz default now()
);
alter table prospects enable row level security;
create policy prospects_own on prospects to authenticated using (assigned_to = (select auth.uid()));
grant select, insert, update, delete on prospects to authenticated, service_role;
insert into prospects (id, first_name, last_name, assigned_to) values
  ('00000000-0000-4000-8000-000000000001', 'A', 'B', '00000000-0000-4000-8000-00000000000a'),
  ('00000000-0000-4000-8000-000000000002', 'C', 'D', '00000000-0000-4000-8000-00000000000b');

select is(audience_gate.track_lifecycle('public.prospects', 'stage')::text, 'prospect_events', 'the events are beside the table');
select results_eq(
  $$select attname::text collate "default" || ' ' || format_type(atttypid, null) || case when attnotnull then ' not null' else '' end
    from pg_attribute where attrelid = 'prospect_events'::regclass and attnum > 0 order by attnum$$,
  array['id uuid not null', 'prospect_id uuid not null', 'from_stage text', 'to_stage text not null', 'changed_by uuid',
    'changed_at timestamp with time zone not null', 'notes text', 'actor text not null'],
  'with the columns of the document, and an actor');
select results_eq('select from_stage, to_stage, actor from prospect_events',
  $$values (null::text, 'enquiry_received', 'system:adoption'), (null, 'enquiry_received', 'system:adoption')$$,
  'records that were there have a first event');
insert into prospects (id, first_name, last_name) values ('00000000-0000-4000-8000-000000000003', 'E', 'F');
select results_eq(
  $$select from_stage, to_stage from prospect_events where prospect_id = '00000000-0000-4000-8000-000000000003'$$,
  $$values (null::text, 'enquiry_received')$$, 'a new record has one');

-- Runs a statement as somebody, undoes it, and says how it ended.
create function pg_temp.outcome(as_role text, person text, statement text) returns text language plpgsql as $$
begin
  perform set_config('request.jwt.claims', case when person is null then '' else jsonb_build_object('sub', person)::text end, true);
  if as_role <> 'owner' then
    perform set_config('role', as_role, true);
  end if;
  execute statement;
  raise sqlstate 'TST00';
exception
  when sqlstate 'TST00' then return 'done';
  when others then return sqlstate;
end;
$$;

select is(pg_temp.outcome(role_name, null, statement), '42501', role_name || ': ' || statement)
from unnest(array['anon', 'authenticated', 'service_role', 'audience_gate_owner', 'owner']) role_name,
  unnest(array['update prospect_events set notes = ''x''', 'delete from prospect_events', 'truncate prospect_events',
    'insert into prospect_events (prospect_id, from_stage, to_stage, changed_at, actor)
       values (''00000000-0000-4000-8000-000000000001'', ''enquiry_received'', ''active'', ''2020-01-01'', ''user:ceo'')']) statement;
select is(pg_temp.outcome('owner', null, statement), '23503', 'a record with a history stays: ' || statement)
from unnest(array['delete from prospects', 'update prospects set id = gen_random_uuid()']) statement;

-- As a person: what they see, move and take back.
set local request.jwt.claims = '{"sub": "00000000-0000-4000-8000-00000000000a"}';
set local request.jwt.claim.sub = '00000000-0000-4000-8000-00000000000a';
set local role authenticated;
select is(count(*), 1::bigint, 'a person sees the history of the records that they see') from prospect_events;
select is(lifecycle_move('prospects', '00000000-0000-4000-8000-000000000001', 'contacted', 'called back', 'enquiry_received'),
  'contacted', 'and moves them, with a note');
select throws_ok($$select lifecycle_move('prospects', '00000000-0000-4000-8000-000000000002', 'contacted')$$, 'P0002', null,
  'but not those that they do not see');
select throws_ok($$select lifecycle_move('prospects', '00000000-0000-4000-8000-000000000001', 'offer_made', null, 'enquiry_received')$$,
  'PT409', null, 'nor one that moved on');
select throws_ok($$select lifecycle_note('write to a.person@example.com')$$, '23514', null, 'a note holds nothing personal');
select throws_ok($$select lifecycle_note('sync', 'system:crm')$$, '42501', null, 'a person does not speak for a job');
select lifecycle_note('no answer twice');
update prospects set stage = 'no_response' where id = '00000000-0000-4000-8000-000000000001';
select lifecycle_note(null);
select is(lifecycle_revert('prospects', '00000000-0000-4000-8000-000000000001', 'they answered'), 'contacted', 'the last move is taken back');
select throws_ok(
  $$select lifecycle_revert('prospects', '00000000-0000-4000-8000-000000000001', null, gen_random_uuid())$$, 'PT409', null,
  'unless the record moved on');
select results_eq(
  $$select from_stage, to_stage, actor, notes from lifecycle_timeline('prospects', '00000000-0000-4000-8000-000000000001')$$,
  $$values (null::text, 'enquiry_received', 'system:adoption', null::text),
    ('enquiry_received', 'contacted', 'user:00000000-0000-4000-8000-00000000000a', 'called back'),
    ('contacted', 'no_response', 'user:00000000-0000-4000-8000-00000000000a', 'no answer twice'),
    ('no_response', 'contacted', 'user:00000000-0000-4000-8000-00000000000a', 'they answered')$$,
  'the timeline says who, from where, to where and why');
select is(lifecycle_at('prospects', '00000000-0000-4000-8000-000000000001', changed_at), to_stage, 'and where it was at each moment')
from prospect_events where prospect_id = '00000000-0000-4000-8000-000000000001';
select is(lifecycle_at('prospects', '00000000-0000-4000-8000-000000000001', '2020-03-15'), null, 'and nowhere before');
select throws_ok($$select lifecycle_timeline('public.audience_states', 'x')$$, '42704', null, 'a table that nobody tracks is refused');
select throws_ok($$select audience_gate.track_lifecycle('public.prospects', 'stage')$$, '42501', null, 'only an owner tracks');
reset role;
set local request.jwt.claims = '';
set local request.jwt.claim.sub = '';

-- The document's statements.
select results_eq($$
  SELECT
    pe.from_stage,
    pe.to_stage,
    u.email::text AS changed_by_email
  FROM prospect_events pe
  LEFT JOIN auth.users u ON pe.changed_by = u.id
  WHERE pe.prospect_id = '00000000-0000-4000-8000-000000000001'
  ORDER BY pe.changed_at ASC
$$, $$values (null::text, 'enquiry_received', null::text), ('enquiry_received', 'contacted', 'staff@example.com'),
  ('contacted', 'no_response', 'staff@example.com'), ('no_response', 'contacted', 'staff@example.com')$$,
  'the document''s query gives the chronological timeline');

CREATE OR REPLACE FUNCTION record_prospect_stage_change()
RETURNS TRIGGER AS $$
BEGIN
  IF OLD.stage IS DISTINCT FROM NEW.stage THEN
    INSERT INTO prospect_events (
      prospect_id,
      from_stage,
      to_stage,
      changed_by,
      notes
    ) VALUES (
      NEW.id,
      OLD.stage,
      NEW.stage,
      auth.uid(),
      NULL
    );
  END IF;
  RETURN NEW;
END;
$$ LANGUAGE plpgsql SECURITY DEFINER;
CREATE TRIGGER zz_on_prospect_stage_change
AFTER UPDATE OF stage ON prospects
FOR EACH ROW
EXECUTE FUNCTION record_prospect_stage_change();

update prospects set stage = 'contacted' where id = '00000000-0000-4000-8000-000000000002';
select is(count(*), 2::bigint, 'with the document''s own trigger beside the gate''s, a move is recorded once')
from prospect_events where prospect_id = '00000000-0000-4000-8000-000000000002';

select results_eq($$
  SELECT from_stage FROM prospect_events
  WHERE prospect_id = '00000000-0000-4000-8000-000000000002'
  ORDER BY changed_at DESC
  LIMIT 1
$$, array['enquiry_received'], 'the last event says where to revert to');
UPDATE prospects SET stage = 'enquiry_received' WHERE id = '00000000-0000-4000-8000-000000000002';
select results_eq(
  $$select to_stage from prospect_events where prospect_id = '00000000-0000-4000-8000-000000000002' order by changed_at$$,
  array['enquiry_received', 'contacted', 'enquiry_received'], 'and the undo is part of the trail');

select results_eq($$
  SELECT
    from_stage,
    to_stage
  FROM (
  SELECT
    from_stage,
    to_stage,
    avg(changed_at - lag_changed_at) AS avg_duration
  FROM (
    SELECT
      from_stage,
      to_stage,
      changed_at,
      LAG(changed_at) OVER (PARTITION BY prospect_id ORDER BY changed_at) AS lag_changed_at
    FROM prospect_events
  ) sub
  WHERE lag_changed_at IS NOT NULL
  GROUP BY from_stage, to_stage
  ORDER BY avg_duration DESC
  ) averages where avg_duration > interval '0' order by 1, 2
$$, $$values ('contacted', 'enquiry_received'), ('contacted', 'no_response'), ('enquiry_received', 'contacted'),
  ('no_response', 'contacted')$$, 'the average time in each stage comes from the events');

create table memberships (
  id bigint generated always as identity primary key, expiry_date date not null, stage text not null default 'active');
insert into memberships (expiry_date) values (current_date + 10), (current_date + 90);
select audience_gate.track_lifecycle('public.memberships', 'stage');
select lifecycle_note('expires within 30 days', 'system:weekly-expiry-check');
UPDATE memberships
SET stage = 'expiry_warning'
WHERE expiry_date BETWEEN CURRENT_DATE AND CURRENT_DATE + INTERVAL '30 days'
AND stage = 'active';
select lifecycle_note(null);
select results_eq('select membership_id, from_stage, to_stage, actor, notes from membership_events where from_stage is not null',
  $$values (1::bigint, 'active', 'expiry_warning', 'system:weekly-expiry-check', 'expires within 30 days')$$,
  'the weekly job is named in the trail');

-- Reports.
select results_eq($$select from_stage, to_stage, moves, records from lifecycle_funnel('memberships')$$,
  $$values (null::text, 'active', 2::bigint, 2::bigint), ('active', 'expiry_warning', 1, 1)$$, 'the funnel counts moves');
select results_eq($$select stage, stays, still_there from lifecycle_dwell('memberships') order by 1$$,
  $$values ('active', 1::bigint, 1::bigint), ('expiry_warning', 0, 1)$$, 'the dwell times count stays');
select results_eq($$select actor, moves, records from lifecycle_actors('memberships') order by 1$$,
  $$values ('system:adoption', 2::bigint, 2::bigint), ('system:weekly-expiry-check', 1, 1)$$, 'the actors count what each did');
select results_eq($$select period_start, stage, stays from lifecycle_trend('memberships', 'day')$$,
  $$values (date_trunc('day', now(), 'UTC'), 'active', 1::bigint)$$, 'the trend counts by period');

-- Moves that are allowed, blocked, or lead nowhere; several columns; enums, partitions, deletes.
create type phase as enum ('draft', 'sent', 'paid', 'void');
create table bills (id text primary key, phase phase not null default 'draft', dunning text not null default 'none')
  partition by hash (id);
create table bills_0 partition of bills for values with (modulus 2, remainder 0);
create table bills_1 partition of bills for values with (modulus 2, remainder 1);
select audience_gate.track_lifecycle('public.bills', 'phase', '{"deletes": "record", "allowed": [["draft", "sent"], ["sent", "paid"]],
  "blocked": [["sent", "void"]], "terminal": ["paid"]}');
select is(audience_gate.track_lifecycle('public.bills', 'dunning')::text, 'bill_dunning_events', 'a second column has events of its own');
insert into bills (id) values ('b-1'), ('b-2');
select throws_ok($$select lifecycle_move('bills', 'b-1', 'paid', stage_column => 'phase')$$, '23514', null, 'a move that is not allowed is refused');
select is(lifecycle_move('bills', 'b-1', 'sent', stage_column => 'phase'), 'sent', 'one that is passes');
select throws_ok($$update bills set phase = 'void' where id = 'b-1'$$, '23514', null, 'a blocked one is refused');
update bills set phase = 'paid' where id = 'b-1';
select throws_ok($$update bills set phase = 'sent' where id = 'b-1'$$, '23514', null, 'nothing leads out of a terminal stage');
select throws_ok($$select lifecycle_timeline('bills', 'b-1')$$, '42702', null, 'of several columns, one is named');
select throws_ok('truncate bills cascade', '42501', null, 'records are not truncated away');
select throws_ok($$update bills set id = 'b-9' where id = 'b-1'$$, '42501', null, 'a record keeps its key');
select audience_gate.untrack_lifecycle('public.bills', 'dunning');
update bills set dunning = 'first';
select is(count(*), 2::bigint, 'once untracked, changes are not recorded') from bill_dunning_events;
select throws_ok('delete from bill_dunning_events', '42501', null, 'but the history stays');
select throws_ok($$select audience_gate.track_lifecycle('public.bills', 'dunning', '{"events": "other"}')$$, '55000', null,
  'a history goes on under its name');
select is(audience_gate.track_lifecycle('public.bills', 'dunning', '{"blocked": [["second", "none"]]}')::text, 'bill_dunning_events',
  'tracked again, it goes on');
update bills set dunning = 'second' where id = 'b-1';
select results_eq('select from_stage, to_stage, actor like ''role:%'' from bill_dunning_events where bill_id = ''b-1'' order by changed_at',
  $$values (null, 'none', true), ('none', 'first', false), ('first', 'second', true)$$, 'with what nobody recorded as one event');
select throws_ok($$update bills set dunning = 'none' where id = 'b-1'$$, '23514', null, 'and the moves that are declared then');
select throws_ok('delete from bill_dunning_events', '42501', null, 'append-only as ever');

insert into audience_gate.lifecycle_transitions (lifecycle, from_stage, to_stage, verdict)
select id, 'contacted', 'lost', 'blocked' from audience_gate.lifecycles where tracked = 'prospects'::regclass;
select is(pg_temp.outcome('owner', null, $$update prospects set stage = 'lost' where stage = 'contacted'$$), '23514',
  'a move that is declared later is held to');
delete from audience_gate.lifecycle_transitions where to_stage = 'lost';
select is(pg_temp.outcome('owner', null, $$update prospects set stage = 'lost' where stage = 'contacted'$$), 'done',
  'until it is taken back');

-- What is said is judged whoever sets it.
select lifecycle_note('harmless');
update memberships set stage = 'paused' where id = 1;
select is(pg_temp.outcome('owner', null, $$update memberships
  set stage = set_config('audience_gate.lifecycle_notes', 'write to a.person@example.com', true) where id = 2$$), '23514',
  'a note that is set within the statement is judged as well');
select lifecycle_note(null);

-- What a trigger of the user's own makes of a move is recorded after it.
create function a_step_further() returns trigger language plpgsql as $$
begin
  update memberships set stage = 'settled' where id = new.id and stage = 'active';
  return null;
end $$;
create trigger a_step_further after insert on memberships for each row execute function a_step_further();
insert into memberships (id, expiry_date) overriding system value values (7, current_date);
select results_eq('select from_stage, to_stage from membership_events where membership_id = 7 order by changed_at',
  $$values (null::text, 'active'), ('active', 'settled')$$, 'events come in the order of the moves');

-- The last event is in the future, as after a clock that has gone back.
alter table membership_events disable trigger user;
insert into membership_events (membership_id, from_stage, to_stage, changed_at, actor)
values (7, 'settled', 'resumed', now() + interval '1 day', 'system:import');
alter table membership_events enable trigger user;
update memberships set stage = 'resumed' where id = 7;
select lifecycle_note('once more', 'system:import');
update memberships set stage = 'closed' where id = 7;
select lifecycle_note(null);
select results_eq('select to_stage, changed_at - now() from membership_events where membership_id = 7 and changed_at > now() + interval ''1 hour''
    order by changed_at',
  $$values ('resumed', interval '1 day'), ('resumed', interval '1 day 1 microsecond'), ('closed', interval '1 day 2 microseconds')$$,
  'events come in the order of the moves after a clock has gone back');

create table two_keys (a integer, b integer, stage text not null, primary key (a, b));
create table no_key (stage text not null);
create view a_view as select id, stage from prospects;
create table plain (id integer primary key, maybe text, document jsonb not null);
create table taken (id integer primary key, stage text not null);
create table taken_events ();
select throws_ok(format('select audience_gate.track_lifecycle(%L, %L)', tracked, stage), error, null, tracked || '.' || stage || ' is refused')
from (values
  ('public.two_keys', 'stage', '42P16'), ('public.no_key', 'stage', '42P16'), ('public.a_view', 'stage', '42809'),
  ('public.bills_0', 'phase', '42809'), ('public.plain', 'missing', '42703'), ('public.plain', 'maybe', '42P16'),
  ('public.plain', 'document', '42804'), ('public.plain', 'id', '42804'), ('public.taken', 'stage', '42P07'),
  ('public.prospects', 'stage', '42710')
) r (tracked, stage, error);

select * from finish();
rollback;
