-- Names that have to be quoted, and a setting that has the server quote every name: a table under audit may have both.
begin;
create extension if not exists pgtap with schema extensions;
set local search_path = public, extensions;
select no_plan();

create schema "Odd Place";
create table "Odd Place"."Big Orders" ("Order No" int primary key, "Its Stage" text not null);
insert into "Odd Place"."Big Orders" values (1, 'placed');

set local quote_all_identifiers = on;
select is(audience_gate.track_lifecycle('"Odd Place"."Big Orders"', 'Its Stage')::text, '"Odd Place"."Big Order_events"',
  'the events are beside the table');
update "Odd Place"."Big Orders" set "Its Stage" = 'sent';
insert into "Odd Place"."Big Orders" values (2, 'placed');
select is(lifecycle_move('"Odd Place"."Big Orders"', '2', 'sent', 'by hand', 'placed'), 'sent', 'a record is moved');
select is(lifecycle_revert('"Odd Place"."Big Orders"', '2', 'not yet'), 'placed', 'and back');
select results_eq($$select from_stage, to_stage from lifecycle_timeline('"Odd Place"."Big Orders"', '1')$$,
  $$values (null, 'placed'), ('placed', 'sent')$$, 'its timeline is told');
select is((select sum(moves) from lifecycle_funnel('"Odd Place"."Big Orders"') where from_stage is not null), 3::numeric,
  'the funnel counts the moves');
select is(audience_gate.untrack_lifecycle('"Odd Place"."Big Orders"', 'Its Stage')::text, '"Odd Place"."Big Order_events"',
  'and it is let go');
select is(audience_gate.track_lifecycle('"Odd Place"."Big Orders"', 'Its Stage')::text, '"Odd Place"."Big Order_events"',
  'and taken up again');

set local quote_all_identifiers = off;
create table "Odd Place".small (id int primary key, stage text not null);
select lives_ok($$select audience_gate.track_lifecycle('"Odd Place".small', 'stage')$$, 'a second table there is tracked too');

select * from finish();
rollback;
