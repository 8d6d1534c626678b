-- Who a person is: one definition, and the rule by which each site joins what somebody did before they signed in to
-- what they did afterwards.

create table if not exists audience_gate.person_rules (
  site_id uuid primary key references public.audience_sites (id) on delete cascade,
  rule text not null default 'session',
  constraint person_rules_rule_chk check (rule in ('session', 'never'))
);
comment on table audience_gate.person_rules is
  'By which rule a site tells people apart. A site without a row goes by session.';
comment on column audience_gate.person_rules.site_id is 'The site.';
comment on column audience_gate.person_rules.rule is
  'session: what was done in a session before or after the one user who signed in during it was done by that user. '
  'never: nobody is a user but in the events that say so.';
alter table audience_gate.person_rules owner to audience_gate_owner;
alter table audience_gate.person_rules enable row level security;
revoke all on table audience_gate.person_rules from public, anon, authenticated, service_role;
create policy person_rules_gate on audience_gate.person_rules to audience_gate_owner using (true) with check (true);

create or replace function audience_gate.person(user_id uuid, linked_user uuid, session uuid)
returns uuid
language sql
immutable
parallel safe
return coalesce(user_id, linked_user, session);
comment on function audience_gate.person(uuid, uuid, uuid) is
  'A person is the signed-in user; where nobody was signed in, the one user known of the session; and if there is none, '
  'or more than one, the session itself. The user of a session is known from its accepted events, whenever they happened, '
  'except those of the category retention, which are written about people. A site whose row in person_rules says never '
  'leaves out the second step.';

-- The people of a site whose figures are in the views are those that its registry and its rule made when the views were
-- refreshed. An edit since then shows at once, because the figures are computed without the views until the next refresh.
create or replace function audience_gate.figure_terms(p_site uuid)
returns text
language plpgsql
stable
set search_path = ''
as $$
begin
  return md5(concat_ws(
    ' ',
    (select string_agg(concat_ws(',', t.id, t.category, t.tier, t.score_weight), ' ' order by t.id) from public.audience_event_types t),
    (select r.rule from audience_gate.person_rules r where r.site_id = p_site),
    (select string_agg(concat_ws(',', x.event_type, x.code_key), ' ' order by x.event_type) from audience_gate.error_events x),
    (select string_agg(concat_ws(',', m.event_type, m.metadata_key), ' ' order by m.event_type, m.metadata_key)
     from audience_gate.performance_measures m)));
end;
$$;
comment on function audience_gate.figure_terms(uuid) is
  'A digest of what the figures of a site depend on beside the events: the registry, its rule of people, and what counts as an '
  'error or a timing.';

create or replace function audience_gate.funnel_terms(p_site uuid)
returns text
language plpgsql
stable
set search_path = ''
as $$
begin
  return md5(concat_ws(
    ' ', audience_gate.figure_terms(p_site),
    (select string_agg(concat_ws(',', f.funnel_id, f.position, f.event_type, f.conversion_window), ' ' order by f.funnel_id, f.position)
     from audience_gate.funnel_steps f where f.site_id = p_site)));
end;
$$;
comment on function audience_gate.funnel_terms(uuid) is
  'A digest of what conversion_funnel depends on beside the events: the site''s funnels, and its people.';

alter table audience_gate.site_zones
  add column if not exists terms text null,
  add column if not exists funnel_terms text null;
comment on column audience_gate.site_zones.terms is
  'audience_gate.figure_terms() at the last refresh. The views about people hold only for as long as it stays the same.';
comment on column audience_gate.site_zones.funnel_terms is
  'audience_gate.funnel_terms() at the last refresh, for the funnels.';

do $$
declare
  signature text;
begin
  foreach signature in array array['person(uuid, uuid, uuid)', 'figure_terms(uuid)', 'funnel_terms(uuid)'] loop
    execute format('alter function audience_gate.%s owner to audience_gate_owner', signature);
    execute format('revoke all on function audience_gate.%s from public, anon, authenticated, service_role', signature);
  end loop;
end $$;
