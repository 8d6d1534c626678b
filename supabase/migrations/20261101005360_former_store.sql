-- The functions that stored events before go when nothing calls them any more, which is after those that did were replaced.

drop function audience_gate.record_plain_events(jsonb, text);
drop function audience_gate.record_plain_rejections(jsonb);
drop function audience_gate.plain_refusals(jsonb);
drop function audience_gate.record_events(jsonb, text);
drop function audience_gate.record_rejections(jsonb);
drop function audience_gate.refusals(jsonb);
