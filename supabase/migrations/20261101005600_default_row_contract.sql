-- From now on a row whose way in does not name the contract is unjudged. The functions that a partitioned log has
-- from an older release name none, so there the database does it until the scaling scripts are applied again.

do $$
declare
  log text;
begin
  foreach log in array array['public.audience_events', 'audience_gate_standby.audience_events'] loop
    continue when to_regclass(log) is null;
    execute format('alter table %s alter column contract %s', log,
      case when to_regprocedure('audience_gate.record_keyed_events(jsonb, text)') is null then 'drop default'
        else 'set default audience_gate.contract_fingerprint()' end);
  end loop;
end $$;
