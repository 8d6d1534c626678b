-- What a page's own check refused: the page does not send the event, it reports it, and the report becomes the audit row.
--
-- A page is believed in nothing. What it shows of the event is redacted again, its columns are kept only as far as they hold
-- before the contract, and its rules only if there are such. What it costs is bounded before it is done.

create or replace function audience_gate.reported_violations(claimed jsonb)
returns jsonb
language sql
stable
set search_path = ''
as $$
  select coalesce(jsonb_agg(jsonb_build_object('rule_id', c.rule_id, 'path', coalesce(c.path, audience_gate.path(c.rule_id)))
    order by c.place), '[]')
  from (
    select distinct on (s.rule_id) s.rule_id, s.place,
      case when s.path ~ '^(/[^/]*)*$' and length(s.path) <= 128 and audience_gate.redact(to_jsonb(s.path)) = to_jsonb(s.path)
        then s.path end as path
    from (
      select v.place, v.item ->> 'rule_id' as rule_id, v.item ->> 'path' as path
      from jsonb_array_elements(case when jsonb_typeof(claimed) = 'array' then claimed else '[]' end)
        with ordinality as v (item, place)
      where v.place <= 10
    ) s
    -- Only the event log tells whether an event is the double fire of another, or an id somebody else's.
    where s.rule_id not in ('duplicate.double_fire', 'identity.id_reuse') and audience_gate.reason(s.rule_id) is not null
    order by s.rule_id, s.place
  ) c
$$;
comment on function audience_gate.reported_violations(jsonb) is
  'Of the violations that a page claims, those of rules that there are and that a page can judge, with places that show nothing '
  'personal.';

create or replace function audience_gate.reported_rejection(
  report jsonb, caller text, caller_id uuid, origin text, received_at timestamptz
)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
  event constant jsonb := report -> 'event';
  claimed constant jsonb := audience_gate.reported_violations(report -> 'violations');
  rule_ids constant text[] := audience_gate.rule_ids(claimed);
  found text[];
  metadata jsonb;
  placed jsonb;
begin
  if jsonb_typeof(event) is distinct from 'object' or octet_length(event::text) > audience_gate.most_report_bytes()
    or rule_ids = '{}'
  then
    return null;
  end if;
  found := audience_gate.violations(event, caller, caller_id, origin, received_at);
  -- Of an event that cannot be read no column was judged.
  if exists (select from unnest(found) f where f like 'parse.%') then
    found := found || array['base.id', 'base.user_id', 'base.site_id', 'base.session_id'];
  end if;
  metadata := audience_gate.rejection_metadata(event, rule_ids, 'browser')
    || case when 'base.id' = any (found) or event ->> 'id' is null then '{}' else jsonb_build_object('event_id', event -> 'id') end;
  placed := metadata || jsonb_build_object('violations', claimed);
  return jsonb_build_object(
    'user_id', case when found && array['base.user_id', 'identity.user_id'] then null else event -> 'user_id' end,
    'session_id', audience_gate.audit_session(
      case when jsonb_typeof(event -> 'session_id') = 'string' then event ->> 'session_id' end, found),
    'event_source', 'browser',
    'site_id', case when found && array['base.site_id', 'identity.site'] then null else event -> 'site_id' end,
    -- An audit row is held to the contract too.
    'metadata', case
      when 'sanity.metadata_size' = any (
        audience_gate.violations(jsonb_build_object('metadata', placed), 'trusted', null, null, received_at))
      then metadata
      else placed
    end
  );
end;
$$;
comment on function audience_gate.reported_rejection(jsonb, text, uuid, text, timestamptz) is
  'The audit row of an event that a page reports to have refused; null if the report says nothing that there can be.';

create or replace function audience_gate.most_report_bytes()
returns integer
language sql
immutable
parallel safe
set search_path = ''
as $$ select 6000 $$;
comment on function audience_gate.most_report_bytes() is 'How many bytes the event in a report may have.';

-- The sender is charged first and whatever comes next, as for events.
create or replace function audience_gate.take_reports(batch jsonb)
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
set lock_timeout = '5s'
as $$
declare
  reports constant jsonb := case when jsonb_typeof(batch -> 'reports') = 'array' then batch -> 'reports' else '[]' end;
  rate jsonb;
  answers jsonb;
begin
  if octet_length(reports::text) > audience_gate.most_unproven_bytes() then
    raise exception 'reports hold at most % bytes', audience_gate.most_unproven_bytes() using errcode = 'program_limit_exceeded';
  end if;
  begin
    rate := audience_gate.charge(batch -> 'rate');
  exception
    when lock_not_available or deadlock_detected or query_canceled then
      return jsonb_build_object('recorded', false, 'failed', 'busy');
  end;
  if rate ? 'retry_after' then
    return jsonb_build_object('recorded', false, 'limited', rate);
  end if;

  begin
    perform audience_gate.hold_contract();
    select coalesce(jsonb_agg(r.audit || jsonb_build_object('index', r.place - 1) order by r.place), '[]')
    into answers
    from (
      select s.place, audience_gate.reported_rejection(s.report, coalesce(batch ->> 'caller', 'visitor'),
        (batch ->> 'caller_id')::uuid, batch ->> 'origin', coalesce((batch ->> 'received_at')::timestamptz, now())) as audit
      from jsonb_array_elements(reports) with ordinality as s (report, place)
    ) r
    where r.audit is not null;
    if answers <> '[]' then
      perform audience_gate.record_rejections(answers, null);
    end if;
  exception
    when lock_not_available or serialization_failure or deadlock_detected then
      return jsonb_build_object('recorded', false, 'failed', 'busy', 'rate', rate);
    when query_canceled or program_limit_exceeded or insufficient_resources then
      return jsonb_build_object('recorded', false, 'failed', 'too much work', 'rate', rate);
    when data_exception or integrity_constraint_violation then
      -- The server's own message would quote a value.
      raise exception 'the reports do not have the form of reports' using errcode = 'invalid_parameter_value';
  end;
  return jsonb_build_object(
    'recorded', true,
    'reported', coalesce((select jsonb_agg(a.item -> 'index') from jsonb_array_elements(answers) as a (item)), '[]'),
    'rate', rate
  );
end;
$$;
comment on function audience_gate.take_reports(jsonb) is
  'Charges and records what pages report: what public.audience_report_rejections() runs.';

create or replace function public.audience_report_rejections(batch jsonb)
returns jsonb
language sql
volatile
set search_path = ''
as $$
  select audience_gate.take_reports(audience_gate.with_rate_keys(batch || jsonb_build_object('rejected', (
    select coalesce(jsonb_agg(jsonb_build_object('site_id', s.report #>> '{event,site_id}')), '[]')
    from jsonb_array_elements(case when jsonb_typeof(batch -> 'reports') = 'array' then batch -> 'reports' else '[]' end)
      as s (report)
  ))))
$$;
comment on function public.audience_report_rejections(jsonb) is
  'Records {"caller", "caller_id", "origin", "received_at", "rate", "reports": [{"violations", "event"}]} as audit rows of '
  'events that pages refused, and answers which reports it took. For the Edge Function.';

do $$
declare
  signature text;
begin
  foreach signature in array array['reported_violations(jsonb)', 'reported_rejection(jsonb, text, uuid, text, timestamptz)',
    'most_report_bytes()', 'take_reports(jsonb)'] loop
    execute format('alter function audience_gate.%s owner to audience_gate_store', signature);
    execute format('revoke all on function audience_gate.%s from public, anon, authenticated, service_role', signature);
  end loop;
end $$;
grant execute on function audience_gate.take_reports(jsonb) to service_role;
revoke all on function public.audience_report_rejections(jsonb) from public, anon, authenticated;
grant execute on function public.audience_report_rejections(jsonb) to service_role;
