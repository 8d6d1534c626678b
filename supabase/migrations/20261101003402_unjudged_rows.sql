-- Rows that were in the table before the gate was: they are to be marked as unjudged, and may be stamped later with the
-- contract that they turn out to keep. And what tells a person may be taken out, once it is recorded that it was
-- (20261101006540_erasure_forms.sql). Nothing else about any row of the log can change.

-- Of ten thousand rows each one comes by here, so the rows are compared as they are stored, byte by byte, and a JSON is only
-- made of a row that no erasure changes.
create or replace function public.audience_events_append_only()
returns trigger
language plpgsql
set search_path = ''
as $$
declare
  erased record;
  before jsonb;
  after jsonb;
begin
  if tg_op = 'UPDATE' and current_user = 'audience_gate_owner' then
    -- Looked up for the first row of a transaction; the table comes with a later migration.
    if current_setting('audience_gate.erasing', true) is distinct from pg_current_xact_id()::text
      and to_regclass('audience_gate.erasures') is not null then
      if exists (select from audience_gate.erasures e where e.erased_at = transaction_timestamp()) then
        perform set_config('audience_gate.erasing', pg_current_xact_id()::text, true);
      end if;
    end if;
    if current_setting('audience_gate.erasing', true) = pg_current_xact_id()::text then
      erased := old;
      if tg_level = 'STATEMENT' then
        -- It sees no rows; the right to update is that of the column alone there.
        if tg_table_schema = 'public' and tg_table_name = 'audience_own_rule_events' then
          return null;
        end if;
      elsif tg_table_schema = 'audience_gate_partitions' or tg_table_schema = 'public' and tg_table_name = 'audience_events' then
        erased.user_id := new.user_id;
        erased.session_id := new.session_id;
        erased.utm_content := new.utm_content;
        erased.utm_term := new.utm_term;
        erased.metadata := new.metadata;
      elsif tg_table_schema = 'public' and tg_table_name = 'audience_state_events' then
        erased.user_id := new.user_id;
        erased.changed_by := new.changed_by;
        erased.notes := new.notes;
        erased.event_id := new.event_id;
      elsif tg_table_schema = 'public' and tg_table_name = 'audience_event_replays' then
        erased.replayed_by := new.replayed_by;
      elsif tg_table_schema = 'audience_gate' and tg_table_name in ('leaf', 'erased_rows') then
        erased.salt := null;
        if tg_table_name = 'leaf' and old.commitment is null then
          erased.commitment := new.commitment;
        end if;
      end if;
      if erased *= new then
        return new;
      end if;
    end if;
    before := to_jsonb(old);
    after := to_jsonb(new);
    if before ? 'contract' and (
      before -> 'contract' = 'null'
        and ((before || jsonb_build_object('contract', audience_gate.contract_fingerprint())) - 'recorded_xid')::text
          = (after - 'recorded_xid')::text
      or before ->> 'contract' = '41d8b79ac76c9fef'
        and ((before ->> 'created_at')::timestamptz < audience_gate.judging_since()
          or (before ->> 'created_at')::timestamptz > now())
        and (before || jsonb_build_object('contract', null))::text = after::text
      or after ->> 'recorded_xid' = '3' and (before || jsonb_build_object('recorded_xid', '3'))::text = after::text
    ) then
      return new;
    end if;
  end if;
  raise exception '% is append-only: % not permitted', tg_table_name, tg_op
    using errcode = 'insufficient_privilege',
          hint = 'record a new event that corrects the old one';
end;
$$;
comment on function public.audience_events_append_only() is
  'Refuses every update, delete and truncate of the table that it guards, with exceptions for the owner of the gate: an '
  'unjudged row may be stamped with the contract in force, a row that is older than the gate may be marked as unjudged, a '
  'row that came with a dump may be taken for older than the figures, and an erasure may take out what tells a person.';

comment on table public.audience_events is
  'The event log, append-only. Every row was judged by the contract that it names; a rejected event is recorded as an '
  'audit row of its own. Rows without a contract are older than the gate, and count nowhere until audience-gate legacy '
  'has judged them. History that was recorded elsewhere comes in through audience-gate load.';

-- No role of the API, and nobody who logs in, acts as this owner; its functions do, one concern each.
-- A policy locks the table for a moment.
do $$
declare
  log text;
begin
  perform audience_gate.lock_log('access exclusive');
  foreach log in array array['public.audience_events', 'audience_gate_standby.audience_events'] loop
    continue when to_regclass(log) is null;
    execute format('grant update on table %s to audience_gate_owner', log);
    execute format('drop policy if exists audience_events_gate_stamp on %s', log);
    execute format('create policy audience_events_gate_stamp on %s for update to audience_gate_owner using (true) with check (true)',
      log);
  end loop;
end $$;

create or replace function audience_gate.mark_unjudged(log regclass)
returns bigint
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  marked bigint;
begin
  execute format('update %s e set contract = null
    where (e.created_at < audience_gate.judging_since() or e.created_at > now()) and e.contract = ''41d8b79ac76c9fef''', log);
  get diagnostics marked = row_count;
  return marked;
end;
$$;
comment on function audience_gate.mark_unjudged(regclass) is
  'Marks the rows of a table of events that are older than the gate, and those from the future, which no clock of '
  'this database wrote. Says how many they were.';
alter function audience_gate.mark_unjudged(regclass) owner to audience_gate_owner;
revoke all on function audience_gate.mark_unjudged(regclass) from public;
