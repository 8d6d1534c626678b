-- The rows that are older than the gate are marked. This may take long where judged rows are among them; nobody waits for
-- it, because it is a transaction of its own and writes only rows that nobody else does.

set local statement_timeout = 0;

do $$
begin
  perform audience_gate.mark_unjudged('public.audience_events');
  if to_regclass('audience_gate_standby.audience_events') is not null then
    perform audience_gate.mark_unjudged('audience_gate_standby.audience_events');
  end if;
end $$;
