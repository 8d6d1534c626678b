-- An event that the database has judged itself is stored as it was judged: Postgres rounds a time to microseconds where the
-- contract cuts it, takes no offset of 16 hours or more, and reads no blank text as a UUID or a time.

create or replace function audience_gate.storable(event jsonb)
returns jsonb
language sql
stable
parallel safe
set search_path = ''
as $$
  select event
    - array(
      select field
      from unnest(array['id', 'user_id', 'site_id', 'occurred_at']) field
      where ltrim(event ->> field, audience_gate.white_space()) = ''
    )
    || case
      when audience_gate.moment(event ->> 'occurred_at') is null then '{}'
      else jsonb_build_object('occurred_at', audience_gate.moment(event ->> 'occurred_at'))
    end
$$;
comment on function audience_gate.storable(jsonb) is
  'An event that was judged, in the form in which a row takes it: without blank ids, and with its time as it was judged.';
revoke all on function audience_gate.storable(jsonb) from public;
grant execute on function audience_gate.storable(jsonb) to audience_gate_owner, audience_gate_store;
