-- What a rule of an install's own would have refused of all that is stored, a page at a time. Nothing is recorded: what was
-- found so far is the answer, and the next page takes it. So it can stop and go on at any time, no statement is long, and
-- ingest has the database between two of them.

create or replace function audience_gate.back_test_rule(
  p_rule text, p_schema jsonb, p_category text, p_type text, p_site uuid
)
returns public.audience_own_rules
language plpgsql
stable
security definer
set search_path = ''
as $$
declare
  rule public.audience_own_rules;
  refusal text;
begin
  perform audience_gate.require_owner(p_site);
  if (p_rule is null) = (p_schema is null) then
    raise exception 'there is no rule to try' using errcode = 'invalid_parameter_value',
      hint = 'say rule => the id of one of public.audience_own_rules, or schema => a draft';
  elsif p_schema is not null then
    rule.schema := p_schema;
    rule.category := p_category;
    rule.event_type := p_type;
    rule.site_id := p_site;
  else
    select * into rule from public.audience_own_rules r
    where r.id = p_rule and (p_site is null or r.site_id is null or r.site_id = p_site);
    if rule.id is null then
      raise exception 'there is no rule %', p_rule using errcode = 'no_data_found',
        hint = 'name a row of public.audience_own_rules that binds the site';
    end if;
    rule.site_id := coalesce(rule.site_id, p_site);
  end if;
  refusal := audience_gate.schema_refusal(rule.schema);
  if refusal is not null then
    raise exception 'the schema cannot be judged by: %', refusal
      using errcode = 'check_violation', hint = 'mend it at the place that is named';
  end if;
  return rule;
end;
$$;
comment on function audience_gate.back_test_rule(text, jsonb, text, text, uuid) is
  'The rule that a back-test tries: a row, or a draft that has no id. For owners of the site and trusted callers.';
alter function audience_gate.back_test_rule(text, jsonb, text, text, uuid) owner to audience_gate_owner;
revoke all on function audience_gate.back_test_rule(text, jsonb, text, text, uuid) from public, anon, authenticated, service_role;

-- The first of each sender before the others of them, ten in all: what may still be dropped is what came last.
create or replace function audience_gate.more_back_test(p_found jsonb, p_refused jsonb)
returns jsonb
language sql
immutable
set search_path = ''
as $$
  with known as (
    select s.sender - 'events' as sender, (s.sender ->> 'events')::bigint as events
    from jsonb_array_elements(p_found -> 'by_sender') s (sender)
  ), fresh as (
    select r.item - array['sample', 'place'] as sender, r.item -> 'sample' as sample, (r.item ->> 'place')::bigint as place,
      row_number() over (partition by r.item - array['sample', 'place'] order by (r.item ->> 'place')::bigint) = 1
        and not exists (select from known k where k.sender = r.item - array['sample', 'place']) as is_first
    from jsonb_array_elements(p_refused) r (item)
  ), senders as (
    select a.sender, sum(a.events)::bigint as events, min(a.ordinal) as ordinal
    from (select k.sender, k.events, 0 as ordinal from known k union all select f.sender, 1, f.place from fresh f) a
    group by a.sender
  ), listed as (
    select s.sender, s.events, row_number() over (order by s.ordinal, s.sender) <= 1000 as is_listed from senders s
  ), samples as (
    select s.sample, s.place <= (p_found #>> '{next,firsts}')::int as is_first, s.place
    from jsonb_array_elements(p_found -> 'samples') with ordinality as s (sample, place)
    union all
    select f.sample, f.is_first, 10 + f.place from fresh f where f.sample <> 'null'
  ), kept as (
    select s.sample, s.is_first, row_number() over (order by not s.is_first, s.place) as place from samples s
  )
  select jsonb_build_object(
    'refused', (p_found ->> 'refused')::bigint + jsonb_array_length(p_refused),
    'by_sender', (
      select coalesce(jsonb_agg(l.sender || jsonb_build_object('events', l.events)
        order by (l.sender ->> 'site_id') collate "C", (l.sender ->> 'event_source') collate "C",
          (l.sender ->> 'event_type') collate "C"), '[]')
      from listed l where l.is_listed),
    'others', (p_found ->> 'others')::bigint + (select coalesce(sum(l.events), 0) from listed l where not l.is_listed),
    'samples', (select coalesce(jsonb_agg(k.sample order by k.place), '[]') from kept k where k.place <= 10),
    'firsts', (select count(*) from kept k where k.place <= 10 and k.is_first))
$$;
comment on function audience_gate.more_back_test(jsonb, jsonb) is
  'What a back-test found, with what one more part of a page brought: counts by sender, of at most 1,000 of them, and samples.';
alter function audience_gate.more_back_test(jsonb, jsonb) owner to audience_gate_owner;
revoke all on function audience_gate.more_back_test(jsonb, jsonb) from public, anon, authenticated, service_role;

create or replace function audience_gate.back_test(
  p_rule text, p_schema jsonb, p_category text, p_type text, p_site uuid, p_since timestamptz, p_page integer, p_so_far jsonb
)
returns jsonb
language plpgsql
stable
security definer
set search_path = ''
set timezone = 'UTC'
set jit = off
set plan_cache_mode = force_custom_plan
as $$
declare
  rule constant public.audience_own_rules := audience_gate.back_test_rule(p_rule, p_schema, p_category, p_type, p_site);
  digest constant text := encode(sha256(convert_to(
    jsonb_build_array(rule.schema, rule.category, rule.event_type, rule.site_id)::text, 'UTF8')), 'hex');
  result jsonb := coalesce(p_so_far, jsonb_build_object(
    'examined', 0, 'bound', 0, 'refused', 0, 'by_sender', '[]'::jsonb, 'others', 0, 'samples', '[]'::jsonb,
    'next', jsonb_build_object('rule', digest, 'firsts', 0, 'until', now(), 'created_at', coalesce(p_since, '-infinity'),
      'id', '00000000-0000-0000-0000-000000000000')));
  page constant integer := least(greatest(p_page, 1), 50000);
  begun constant timestamptz := clock_timestamp();
  until timestamptz;
  at timestamptz;
  last uuid;
  part record;
  room integer := page;
begin
  if jsonb_typeof(result -> 'next') = 'null' then
    return result;
  elsif result #>> '{next,rule}' is distinct from digest then
    raise exception 'so_far is of another rule' using errcode = 'invalid_parameter_value',
      hint = 'begin anew without so_far, or send the rule with which it began';
  end if;
  until := (result #>> '{next,until}')::timestamptz;
  at := (result #>> '{next,created_at}')::timestamptz;
  last := (result #>> '{next,id}')::uuid;
  -- Small parts, so that a dear schema ends a page by its time.
  while room > 0 and clock_timestamp() < begun + interval '1 second' loop
    with read as materialized (
      select e.* from public.audience_events e
      where not e.rejected and e.contract is not null
        and e.created_at >= at and (e.created_at, e.id) > (at, last) and e.created_at < until
        and (p_site is null or e.site_id = p_site)
      order by e.created_at, e.id
      limit least(room, 200)
    ), bound as materialized (
      select r.site_id, r.event_source, r.event_type, row_number() over (order by r.created_at, r.id) as place,
        -- What own_instance() makes of the row, in a fraction of its time.
        jsonb_strip_nulls(jsonb_build_object(
          'user_id', r.user_id, 'session_id', r.session_id, 'event_type', r.event_type, 'event_category', r.event_category,
          'event_source', r.event_source, 'occurred_at', r.occurred_at, 'utm_source', r.utm_source, 'utm_medium', r.utm_medium,
          'utm_campaign', r.utm_campaign, 'utm_content', r.utm_content, 'utm_term', r.utm_term))
          || jsonb_build_object('metadata', r.metadata) as event
      from read r
      where (rule.category is null or r.event_category = rule.category)
        and (rule.event_type is null or r.event_type = rule.event_type)
        and (rule.site_id is null or r.site_id = rule.site_id)
    ), failed as materialized (
      select b.*, row_number() over (partition by b.site_id, b.event_source, b.event_type order by b.place) as of_sender
      from (
        select w.*, audience_gate.schema_fault(rule.schema, rule.schema, w.event, '{}') as fault from bound w
      ) b
      where b.fault is not null
    )
    select
      (select count(*) from read) as examined, (select count(*) from bound) as bound,
      newest.created_at as at, newest.id as last,
      (
        select coalesce(jsonb_agg(jsonb_build_object(
          'site_id', f.site_id, 'event_source', f.event_source, 'event_type', f.event_type, 'place', f.place,
          'sample', case
            when f.of_sender = 1 and (result #>> '{next,firsts}')::int < 10
              or f.place <= (select max(l.place) from (select x.place from failed x order by x.place limit 20) l)
                and jsonb_array_length(result -> 'samples') < 10
            then jsonb_build_object(
              'path', coalesce(audience_gate.pointer(f.fault), ''),
              'event', audience_gate.redact(
                f.event || jsonb_build_object('site_id', f.site_id), '', 0, true, true, audience_gate.own_words())
                - array['user_id', 'session_id'])
          end)), '[]')
        from failed f
      ) as refused
    into part
    from (select count(*) from read) counted
    left join lateral (select r.created_at, r.id from read r order by r.created_at desc, r.id desc limit 1) newest on true;
    result := result || jsonb_build_object(
      'examined', (result ->> 'examined')::bigint + part.examined, 'bound', (result ->> 'bound')::bigint + part.bound);
    if part.refused <> '[]' then
      result := result || audience_gate.more_back_test(result, part.refused);
      result := jsonb_set(result, '{next,firsts}', result -> 'firsts') - 'firsts';
    end if;
    if part.examined < least(room, 200) then
      return result || '{"next": null}';
    end if;
    at := part.at;
    last := part.last;
    room := room - part.examined::int;
  end loop;
  return jsonb_set(result, '{next}', result -> 'next' || jsonb_build_object('created_at', at, 'id', last));
end;
$$;
comment on function audience_gate.back_test(text, jsonb, text, text, uuid, timestamptz, integer, jsonb) is
  'Computes what public.audience_back_test() returns.';
alter function audience_gate.back_test(text, jsonb, text, text, uuid, timestamptz, integer, jsonb) owner to audience_gate_owner;
revoke all on function audience_gate.back_test(text, jsonb, text, text, uuid, timestamptz, integer, jsonb)
  from public, anon, authenticated, service_role;
grant execute on function audience_gate.back_test(text, jsonb, text, text, uuid, timestamptz, integer, jsonb)
  to authenticated, service_role;

create or replace function public.audience_back_test(
  rule text default null, schema jsonb default null, category text default null, event_type text default null,
  site uuid default null, since timestamptz default '-infinity', page integer default 5000, so_far jsonb default null
)
returns jsonb
language sql
stable
set search_path = ''
as $$ select audience_gate.back_test(rule, schema, category, event_type, site, since, page, so_far) $$;
comment on function public.audience_back_test(text, jsonb, text, text, uuid, timestamptz, integer, jsonb) is
  'What a rule of the install''s own, or a draft of one, would have refused of the accepted events that are stored: how many were '
  'examined, it binds and it refuses, by_sender, and ten redacted samples. It reads a page of events, for about a second at '
  'most; while next is not null, give the answer as so_far for the next page. A site: only its events are read. Nothing is '
  'recorded. For owners of the site and trusted callers.';
revoke all on function public.audience_back_test(text, jsonb, text, text, uuid, timestamptz, integer, jsonb)
  from public, anon, authenticated, service_role;
grant execute on function public.audience_back_test(text, jsonb, text, text, uuid, timestamptz, integer, jsonb)
  to authenticated, service_role;
