-- The tables of figures, each with the query that makes all of it anew: what a rebuild writes, and what the check compares.

create or replace function audience_gate.figure_tables()
returns table (nth bigint, name text, place text, whole text)
language sql
immutable
set search_path = ''
as $$
  select row_number() over (), v.name, case when v.name ~ '_(days|periods)$' then 'site_zone' else 'site_id' end, v.whole
  from (values
    ('session_users', 'select * from audience_gate.whole_session_users'),
    ('session_slots', 'select * from audience_gate.whole_session_slots'),
    ('session_starts', 'select * from audience_gate.whole_session_starts'),
    ('engagement_slots', 'select w.* from unnest($1) s (id), audience_gate.whole_engagement_slots(s.id) w'),
    ('feature_slots', 'select w.* from unnest($1) s (id), audience_gate.whole_feature_slots(s.id) w'),
    ('known_slots', 'select w.* from unnest($1) s (id), audience_gate.whole_known_slots(s.id) w'),
    ('funnel_slots', 'select s.id, w.funnel_id, w.slot, w.previous_slot, w.position, w.people, w.seconds
      from unnest($1) s (id), audience_gate.funnel_cells(s.id, ''{f}'', false, ''-infinity'', ''infinity'') w'),
    ('visits', 'select w.* from unnest($1) s (id), audience_gate.whole_visits(s.id) w'),
    ('error_slots', 'select * from audience_gate.whole_error_slots'),
    ('timing_slots', 'select * from audience_gate.whole_timing_slots'),
    ('receipt_slots', 'select * from audience_gate.whole_receipt_slots'),
    ('flow_slots', 'select * from audience_gate.whole_flow_slots'),
    ('stay_slots', 'select * from audience_gate.whole_stay_slots'),
    ('engagement_days', 'select site_zone, tier, day, previous_day, people, events, seconds, score
      from audience_gate.whole_engagement_days'),
    ('feature_days', 'select site_zone, event_type, day, previous_day, people, events from audience_gate.whole_feature_days'),
    ('cohort_periods', 'select site_zone, grain, cohort, later, people from audience_gate.whole_cohort_periods'),
    ('funnel_days', 'select site_zone, funnel_id, day, previous_day, "position", people, seconds from audience_gate.whole_funnel_days'),
    ('known_days', 'select site_zone, kind, day, previous_day, units, events from audience_gate.whole_known_days'),
    ('visit_days', 'select w.* from unnest($1) s (id), audience_gate.whole_visit_days(s.id) w'),
    ('error_days', 'select site_zone, day, event_type, code, events from audience_gate.whole_error_days'),
    ('timing_days', 'select site_zone, day, event_type, measure, bucket, samples, total, maximum from audience_gate.whole_timing_days'),
    ('flow_days', 'select site_zone, day, from_state, to_state, transitions, stays, seconds from audience_gate.whole_flow_days'),
    ('stay_days', 'select site_zone, day, state, bucket, stays, seconds from audience_gate.whole_stay_days')
  ) v (name, whole)
$$;
comment on function audience_gate.figure_tables() is
  'The tables of figures, in the order in which they rest on each other, each with the column that tells its sites or zones '
  'and a query that computes all of it: of the sites $1 and their zones $2.';

create or replace function audience_gate.figure_columns(figure text)
returns text
language sql
stable
set search_path = ''
as $$
  select string_agg(format('%I', a.attname), ', ' order by a.attnum) from pg_catalog.pg_attribute a
  where a.attrelid = ('audience_gate.' || figure)::regclass and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
$$;
comment on function audience_gate.figure_columns(text) is 'The columns of a table of figures, as far as they are stored as given.';

create or replace function audience_gate.figure_order(figure text)
returns text
language sql
stable
set search_path = ''
as $$
  select string_agg(format('%I', a.attname), ', ' order by k.nth)
  from pg_catalog.pg_index i
  cross join lateral unnest(i.indkey) with ordinality k (attnum, nth)
  join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum and a.attgenerated = ''
  where i.indexrelid = ('audience_gate.' || case figure when 'visits' then 'idx_visits_started' else figure || '_pkey' end)::regclass
$$;
comment on function audience_gate.figure_order(text) is
  'The order in which a table of figures is read. Made anew, it is written in this order, as folds write it in that of time, so '
  'that what is read together lies together.';

create or replace function audience_gate.drop_empty_cells()
returns void
language plpgsql
volatile
set search_path = ''
as $$
begin
  delete from audience_gate.engagement_slots where people = 0;
  delete from audience_gate.engagement_days where people = 0;
  delete from audience_gate.cohort_periods where people = 0;
  delete from audience_gate.feature_slots where people = 0;
  delete from audience_gate.feature_days where people = 0;
  delete from audience_gate.funnel_slots where people = 0;
  delete from audience_gate.funnel_days where people = 0;
  delete from audience_gate.known_slots where units = 0;
  delete from audience_gate.known_days where units = 0;
  delete from audience_gate.visit_days where visits = 0;
  delete from audience_gate.receipt_slots where events = 0;
  delete from audience_gate.error_slots where events = 0;
  delete from audience_gate.error_days where events = 0;
  delete from audience_gate.session_starts where sessions = 0;
end;
$$;
comment on function audience_gate.drop_empty_cells() is 'Removes the cells in which nobody is left.';

do $$
declare
  signature text;
begin
  foreach signature in array array['figure_tables()', 'figure_columns(text)', 'figure_order(text)', 'drop_empty_cells()'] loop
    execute format('alter function audience_gate.%s owner to audience_gate_owner', signature);
    execute format('revoke all on function audience_gate.%s from public, anon, authenticated, service_role', signature);
  end loop;
end $$;
