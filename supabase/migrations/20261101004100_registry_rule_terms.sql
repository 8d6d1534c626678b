-- What each rule demands of a change of state goes to the engines together with its id, so that they can tell whether a
-- retention event is explained by the rule that it names. So do the words and the rules of an install's own.

create or replace function audience_gate.registry()
returns jsonb
language sql
stable
security definer
set search_path = ''
as $$
  select jsonb_build_object(
    'version', audience_gate.registry_version(),
    'default_site', audience_gate.default_site(),
    'event_types', coalesce((
      select jsonb_agg(
        jsonb_build_object('id', t.id, 'category', t.category, 'payload_schema', t.payload_schema) order by t.id)
      from public.audience_event_types t where t.active), '[]'),
    'rules', coalesce((select jsonb_agg(r.id order by r.id) from public.audience_rules r where r.active), '[]'),
    'rule_terms', coalesce((
      select jsonb_agg(
        jsonb_build_object(
          'id', r.id, 'prior_state', r.prior_state, 'new_state', r.new_state, 'inactivity_days', r.inactivity_days)
        order by r.id)
      from public.audience_rules r where r.active), '[]'),
    'states', coalesce((select jsonb_agg(s.id order by s.rank) from public.audience_states s), '[]'),
    'blocked_jumps', coalesce((
      select jsonb_agg(jsonb_build_array(j.from_state, j.to_state) order by j.from_state, j.to_state)
      from public.audience_blocked_jumps j), '[]'),
    'personal_words', coalesce((
      select jsonb_agg(w.words order by w.words) from public.audience_personal_words w), '[]'),
    'own_rules', coalesce((
      select jsonb_agg(
        jsonb_build_object(
          'id', o.id, 'category', o.category, 'event_type', o.event_type, 'site_id', o.site_id, 'schema', o.schema,
          'mode', o.mode, 'reasons', o.reasons)
        order by o.id collate "C")
      from public.audience_own_rules o where o.mode <> 'off'), '[]'),
    'sites', coalesce((
      select jsonb_agg(jsonb_build_object('id', s.id, 'origins', s.origins) order by s.id)
      from public.audience_sites s), '[]')
  )
$$;
comment on function audience_gate.registry() is
  'The registry in the form that the other engines of the gate read: all that is active, what each rule demands, the '
  'words and the rules of the install''s own, and the sites with their origins.';
