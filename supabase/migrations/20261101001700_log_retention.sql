-- How long the gate keeps its own logs, and the job that removes what is older.

create table if not exists audience_gate.log_retention (
  table_name text primary key,
  time_column text not null,
  keep interval not null,
  constraint log_retention_keep_chk check (keep >= interval '1 hour')
);
comment on table audience_gate.log_retention is
  'How long each log of schema audience_gate is kept. The event log and the state history are not among them: they '
  'are kept for good.';
comment on column audience_gate.log_retention.table_name is 'A table of schema audience_gate.';
comment on column audience_gate.log_retention.time_column is 'The column that tells when a row was written.';
comment on column audience_gate.log_retention.keep is 'How long a row is kept.';
alter table audience_gate.log_retention enable row level security;
revoke all on table audience_gate.log_retention from public, anon, authenticated, service_role;

insert into audience_gate.log_retention (table_name, time_column, keep)
values
  ('job_runs', 'started_at', '30 days'),
  ('analytics_runs', 'started_at', '30 days'),
  ('rate_buckets', 'filled_at', '1 hour')
on conflict do nothing;

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
  log audience_gate.log_retention;
  removed_now bigint;
  removed bigint;
  answer jsonb := jsonb '{}';
begin
  for log in select * from audience_gate.log_retention l order by l.table_name loop
    removed := 0;
    loop
      execute format(
        'delete from audience_gate.%I where ctid = any (array(
           select ctid from audience_gate.%1$I where %I < now() - $1 limit $2))', log.table_name, log.time_column)
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
comment on function audience_gate.prune_logs(jsonb) is
  'Removes rows of the logs that are past their time, batch by batch, until it is done or out of time; the next run '
  'goes on. Settings: batch_size, max_seconds.';
