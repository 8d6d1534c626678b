-- The session of an audit row is told by audience_gate.audit_session() now, in every engine alike. Its forerunner goes last,
-- because the functions that ask it judge events until they are replaced.
drop function if exists audience_gate.kept_session(text, text[]);
