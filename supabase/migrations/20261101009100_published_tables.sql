-- Tables whose rows no key names, in a database that publishes all its tables.

-- A publication of all tables, as a replica or a sync engine asks for, has Postgres refuse to change or delete a row that
-- it cannot name to the subscriber. These are queues and records without a key; each row is short, and is its own name.
alter table audience_gate.state_pending replica identity full;
alter table audience_gate.unsealed replica identity full;
alter table audience_gate.erased_rows replica identity full;
