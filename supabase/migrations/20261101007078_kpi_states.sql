-- The states themselves, in their order and by the names that an install gave them, so that whoever shows figures of states
-- need not know which there are.

create or replace function audience_gate.kpi_states(p_site uuid)
returns table (state text, name text, meaning text, min_score numeric)
language plpgsql
stable
security definer
set search_path = ''
set jit = off
as $$
#variable_conflict use_column
begin
  perform audience_gate.kpi_range(p_site, now() - interval '1 day', now(), 'UTC', 'total', 1);
  return query
  select s.id, s.name, s.meaning, s.min_score from public.audience_states s order by s.rank;
end;
$$;
comment on function audience_gate.kpi_states(uuid) is 'Computes what public.kpi_states() returns.';

create or replace function public.kpi_states(site uuid)
returns table (state text, name text, meaning text, min_score numeric)
language sql
stable
set search_path = ''
as $$ select * from audience_gate.kpi_states(site) $$;
comment on function public.kpi_states(uuid)
is $$The states that a person passes through, lowest first. They are rows of public.audience_states.
Grain: one row for each state.
Time zone: none.
Source: the tables
state: how events and the other figures name the state
name: the name people know it by
meaning: what is true of a person in it
min_score: the engagement score at which a person steps up into it$$;

alter function audience_gate.kpi_states(uuid) owner to audience_gate_owner;
revoke all on function audience_gate.kpi_states(uuid) from public, anon;
revoke all on function public.kpi_states(uuid) from public, anon;
grant execute on function audience_gate.kpi_states(uuid) to authenticated, service_role;
grant execute on function public.kpi_states(uuid) to authenticated, service_role;
