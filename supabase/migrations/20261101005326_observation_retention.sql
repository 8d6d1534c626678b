-- What rules in observe have counted goes after a quarter of a year, like the logs.

create or replace function audience_gate.prune_logs(settings jsonb default '{}')
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  batch integer := coalesce((settings ->> 'batch_size')::integer, 5000);
  deadline timestamptz := clock_timestamp() + coalesce((settings ->> 'max_seconds')::numeric, 10) * interval '1 second';
  log record;
  removed_now bigint;
  removed bigint;
  answer jsonb := jsonb '{}';
begin
  for log in
    select l.table_name, l.time_column, l.keep,
      coalesce(to_regclass(format('audience_gate.%I', l.table_name)), to_regclass(format('public.%I', l.table_name))) as found
    from audience_gate.log_retention l order by l.table_name
  loop
    removed := 0;
    loop
      execute format(
        'delete from %s where ctid = any (array(select ctid from %1$s where %I < now() - $1 limit $2))', log.found, log.time_column)
      using log.keep, batch;
      get diagnostics removed_now = row_count;
      removed := removed + removed_now;
      exit when removed_now < batch or clock_timestamp() >= deadline;
    end loop;
    answer := answer || jsonb_build_object(log.table_name, removed);
  end loop;
  return answer;
end;
$$;

comment on column audience_gate.log_retention.table_name is 'A table of schema audience_gate, or else of schema public.';
create index if not exists idx_audience_observations_minute on public.audience_observations using brin (minute);
grant delete on table public.audience_observations to audience_gate_owner;
insert into audience_gate.log_retention (table_name, time_column, keep)
values ('audience_observations', 'minute', '90 days')
on conflict do nothing;
