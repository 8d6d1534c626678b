-- What the demo shows in the dashboard's other views: a rule of its own with what it counted, a table with a history, alerts.

insert into public.audience_own_rules (id, event_type, site_id, schema, mode, reasons)
values (
  'own.announced_sources', null, audience_gate.default_site(),
  '{"type": "object", "properties": {"event_source": {"enum": ["web", "ios"]}}}', 'observe',
  '{"en": "`event_source` is not one that was announced, so nobody maintains that sender; send web or ios"}'
);
insert into public.audience_observations (rule_id, site_id, event_source, event_type, minute, events)
select 'own.announced_sources', e.site_id, e.event_source, e.event_type, date_trunc('minute', e.created_at), count(*)
from public.audience_events e
where not e.rejected and e.event_source not in ('web', 'ios')
group by 1, 2, 3, 4, 5;
-- While a rule is observed, the database judges everything again; the demo is as fast as an install without one.
update public.audience_own_rules set mode = 'off' where id = 'own.announced_sources';

create table public.demo_enquiries (
  id integer generated always as identity primary key,
  stage text not null default 'received'
);
comment on table public.demo_enquiries is 'A table of the demo whose changes of stage are recorded.';
alter table public.demo_enquiries enable row level security;
revoke all on table public.demo_enquiries from anon, authenticated;
grant select, update (stage) on table public.demo_enquiries to authenticated;
create policy demo_enquiries_members on public.demo_enquiries to authenticated
  using (exists (select from public.audience_site_members m where m.user_id = (select auth.uid())));
select audience_gate.track_lifecycle('public.demo_enquiries', 'stage',
  '{"entity": "enquiry", "events": "demo_enquiry_events", "blocked": [["received", "enrolled"]], "terminal": ["archived"]}');

insert into public.demo_enquiries (stage) select 'received' from generate_series(1, 60);
select public.lifecycle_note('called back', 'system:weekly-calls');
update public.demo_enquiries set stage = 'contacted' where id % 4 <> 0;
select public.lifecycle_note(null);
update public.demo_enquiries set stage = 'offer_made' where id % 4 in (1, 2) and id % 5 <> 0;
update public.demo_enquiries set stage = 'enrolled' where id % 4 = 1 and id % 5 in (1, 2, 3);
update public.demo_enquiries set stage = 'archived' where id % 4 = 2 and id % 5 = 4;
-- The moves of six weeks were just made. Each is put to the day when it would have been.
set local session_replication_role = replica;
update public.demo_enquiry_events e
set changed_at = now() - interval '40 days' + (e.enquiry_id % 20) * interval '1 day'
  + o.nth * ((e.enquiry_id * 7) % 5 + 1) * interval '17 hours'
from (
  select x.id, row_number() over (partition by x.enquiry_id order by x.changed_at) as nth from public.demo_enquiry_events x
) o
where o.id = e.id;
set local session_replication_role = origin;

insert into public.audience_alerts (site_id, kind, source, threshold, minutes)
values
  (audience_gate.default_site(), 'rejected_share', null, 0.01, 1440),
  (audience_gate.default_site(), 'silence', 'backend', 0, 180),
  (audience_gate.default_site(), 'failed_jobs', null, 0, 1440);
update audience_gate.jobs set active = true where name = 'check_alerts';
