-- What a batch is counted under. The function forwards a batch without reading it, so it knows the sender's
-- address and user only; how many events came, in which sessions and for which sites, is known here.

create or replace function audience_gate.with_rate_keys(batch jsonb)
returns jsonb
language sql
stable
set search_path = ''
as $$
  select case
    when jsonb_typeof(batch -> 'rate' -> 'keys') is distinct from 'array' then batch
    else jsonb_set(batch, '{rate,keys}', (
      with sent as materialized (
        select e.session_id, e.site_id, true as accepted
        from jsonb_to_recordset(coalesce(nullif(batch -> 'accepted', 'null'), '[]')) as e (session_id text, site_id text)
        union all
        select null, e.site_id, false
        from jsonb_to_recordset(coalesce(nullif(batch -> 'rejected', 'null'), '[]')) as e (site_id text)
      ), due as (
        select k.key, k.scope, coalesce(k.cost, (select count(*) from sent)) as cost
        from jsonb_to_recordset(batch -> 'rate' -> 'keys') as k (key text, scope text, cost bigint)
        union all
        -- Of accepted events only: rejected ones may share the placeholder of sessions that were not fit to be kept.
        select md5(s.session_id), 'session', count(*) from sent s where s.accepted group by s.session_id
        union all
        select coalesce(s.site_id, 'default'), 'site', count(*) from sent s group by coalesce(s.site_id, 'default')
      )
      select coalesce(jsonb_agg(jsonb_build_object('key', d.key, 'scope', d.scope, 'cost', d.cost)), '[]') from due d
    ))
  end
$$;
comment on function audience_gate.with_rate_keys(jsonb) is
  'The batch with its rate keys complete: what each costs, and those of its sessions and sites.';

create or replace function public.ingest_audience_events(batch jsonb)
returns jsonb
language sql
volatile
set search_path = ''
as $$ select audience_gate.ingest(audience_gate.with_rate_keys(batch)) $$;

revoke all on function audience_gate.with_rate_keys(jsonb) from public;
grant execute on function audience_gate.with_rate_keys(jsonb) to service_role;
