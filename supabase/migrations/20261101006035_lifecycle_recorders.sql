-- What writes the events of a tracked table: trigger functions that are made for it, so that their statements are planned
-- once in a session. They run for every row that moves, so they look up and ask no more than they must.

create or replace function audience_gate.lifecycle_recorders(l audience_gate.lifecycles)
returns text[]
language sql
immutable
parallel safe
set search_path = ''
as $$
  select array_agg(l.recorder || '_' || o.operation)
  from (values ('insert'), ('update'), ('delete')) o (operation) where o.operation <> 'delete' or l.deletes = 'record'
$$;
comment on function audience_gate.lifecycle_recorders(audience_gate.lifecycles) is
  'The trigger functions of a lifecycle, one for each kind of change that it records.';
alter function audience_gate.lifecycle_recorders(audience_gate.lifecycles) owner to audience_gate_owner;
revoke all on function audience_gate.lifecycle_recorders(audience_gate.lifecycles) from public, anon, authenticated, service_role;

-- No two events of a record are at the same time, whatever the clock does, so the latest is looked up where there may be
-- one: as an aggregate, because every use of a plan with a subquery in an expression walks the whole statement. Most of
-- the rest is about who and why: left out where nobody is signed in and nothing was said, and else found out once, as the
-- claims of a token are a document that is read anew wherever it is named.
create or replace function audience_gate.event_statement(
  l audience_gate.lifecycles, record_key text, before text, after text, is_new boolean
)
returns text
language sql
stable
set search_path = ''
as $$
  select format($write$
      if concat(%1$s, %2$s, %3$s) = '' then
        insert into %4$s (%5$I, from_stage, to_stage, changed_at, actor)
        select %6$s, %7$s, %8$s, %9$s, %10$s %11$s;
      else
        caller := %12$s;
        if concat(%1$s, %2$s) <> '' then
          who := audience_gate.lifecycle_said();
        elsif caller is not null then
          who := 'user:' || caller;
        else
          who := %10$s;
        end if;
        insert into %4$s (%5$I, from_stage, to_stage, changed_at, actor, changed_by, notes)
        select %6$s, %7$s, %8$s, %9$s, who, caller, nullif(%1$s, '') %11$s;
      end if;$write$,
    $x$current_setting('audience_gate.lifecycle_notes', true)$x$,
    $x$current_setting('audience_gate.lifecycle_actor', true)$x$,
    $x$current_setting('request.jwt.claim.sub', true), current_setting('request.jwt.claims', true)$x$,
    l.events, l.entity_column, record_key, before, after,
    case when is_new then 'clock_timestamp()'
      else $x$greatest(clock_timestamp(), max(e.changed_at) + interval '1 microsecond')$x$ end,
    $x$'role:' || case when current_setting('role') = 'none' then session_user::text else current_setting('role') end$x$,
    case when not is_new then format('from %s e where e.%I = %s', l.events, l.entity_column, record_key) end,
    $x$coalesce(nullif(current_setting('request.jwt.claim.sub', true), ''),
          nullif(current_setting('request.jwt.claims', true), '')::json ->> 'sub')$x$)
$$;
comment on function audience_gate.event_statement(audience_gate.lifecycles, text, text, text, boolean) is
  'The statements by which a recorder writes an event.';
alter function audience_gate.event_statement(audience_gate.lifecycles, text, text, text, boolean)
  owner to audience_gate_owner;
revoke all on function audience_gate.event_statement(audience_gate.lifecycles, text, text, text, boolean)
  from public, anon, authenticated, service_role;

-- Declared moves are looked up only where there are any.
create or replace function audience_gate.make_lifecycle_recorders(l audience_gate.lifecycles)
returns void
language plpgsql
volatile
set search_path = ''
as $$
declare
  is_checked boolean := exists (select from audience_gate.lifecycle_transitions t where t.lifecycle = l.id);
  key_column text := quote_ident(l.key_column);
  before text := format('old.%I::text', l.stage_column);
  after text := format('new.%I::text', l.stage_column);
  recorder text;
begin
  foreach recorder in array audience_gate.lifecycle_recorders(l) loop
    execute format('create or replace function audience_gate.%I() returns trigger language plpgsql volatile security definer
      set search_path = '''' as %L', recorder, format('
    declare
      caller uuid;
      who text;
    begin%s%s
      return null;
    end;',
      case when is_checked and recorder !~ '_delete$' then format('
      perform audience_gate.check_transition(%L, %s, %s);',
        l.id, case when recorder ~ '_insert$' then 'null' else before end, after) end,
      case
        when recorder ~ '_insert$' then audience_gate.event_statement(l, 'new.' || key_column, 'null', after, l.deletes = 'refuse')
        when recorder ~ '_update$' then audience_gate.event_statement(l, 'new.' || key_column, before, after, false)
        else audience_gate.event_statement(l, 'old.' || key_column, before, quote_literal('deleted'), false)
      end));
    execute format('comment on function audience_gate.%I() is %L', recorder,
      format('Writes the events of %s.%s.', l.tracked, l.stage_column));
    execute format('revoke all on function audience_gate.%I() from public, anon, authenticated, service_role', recorder);
  end loop;
end;
$$;
comment on function audience_gate.make_lifecycle_recorders(audience_gate.lifecycles) is
  'Makes the trigger functions that write the events of a lifecycle.';
alter function audience_gate.make_lifecycle_recorders(audience_gate.lifecycles) owner to audience_gate_owner;
revoke all on function audience_gate.make_lifecycle_recorders(audience_gate.lifecycles) from public, anon, authenticated, service_role;

create or replace function audience_gate.transitions_changed()
returns trigger
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
  perform audience_gate.make_lifecycle_recorders(l) from audience_gate.lifecycles l
  where l.id in (old.lifecycle, new.lifecycle) and to_regproc('audience_gate.' || l.recorder || '_update') is not null
    and exists (select from pg_catalog.pg_class c where c.oid = l.events);
  return null;
end;
$$;
comment on function audience_gate.transitions_changed() is
  'Makes the recorders anew, as only those of lifecycles with declared moves look them up.';
alter function audience_gate.transitions_changed() owner to audience_gate_owner;
revoke all on function audience_gate.transitions_changed() from public, anon, authenticated, service_role;
drop trigger if exists trg_transitions_changed on audience_gate.lifecycle_transitions;
create trigger trg_transitions_changed after insert or update or delete on audience_gate.lifecycle_transitions
for each row execute function audience_gate.transitions_changed();
