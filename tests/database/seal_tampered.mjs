// Sealed history in the hands of its owner.

/** The id of an event of the test. */
export const event = (/** @type {number} */ number) => `00000000-0000-4000-9000-${String(number).padStart(12, "0")}`;

/** What an owner does with every trigger off, and how it is told. @type {{ what: string, sql: string, told: RegExp }[]} */
export const TAMPERED = [
  {
    what: "a value is edited",
    sql: `update public.audience_events set metadata = jsonb_set(metadata, '{scale}', '48.5') where id = '${event(7)}'`,
    told: new RegExp(`event ${event(7)} was changed after it was sealed`),
  },
  {
    what: "an event is given to another member",
    sql: `update public.audience_events set user_id = '${event(1)}' where id = '${event(9)}'`,
    told: new RegExp(`event ${event(9)} was changed`),
  },
  {
    what: "a rejection is hidden",
    sql: `update public.audience_events set rejected = not rejected where id = '${event(11)}'`,
    told: new RegExp(`event ${event(11)} was changed`),
  },
  {
    what: "a row is deleted",
    sql: `delete from public.audience_events where id = '${event(20)}'`,
    told: new RegExp(`event ${event(20)} is missing`),
  },
  {
    what: "a row is inserted inside",
    sql:
      `insert into public.audience_events (id, created_at, session_id, event_type, event_category, event_source, contract)
      values ('${event(9001)}', now() - interval '1 hour', 'session-made-up', 'page_view', 'engagement', 'web',
        audience_gate.contract_fingerprint())`,
    told: new RegExp(`event ${event(9001)} was added past the queue`),
  },
  {
    what: "a row is inserted inside, and counted as waiting",
    sql: `insert into public.audience_events (id, created_at, session_id, event_type, event_category, event_source)
      values ('${event(9002)}', now() - interval '1 hour', 'session-made-up', 'page_view', 'engagement', 'web');
      insert into audience_gate.leaf (leaf_index, event_id, salt, commitment, hash)
        select 350, '${
      event(9002)
    }', salt, commitment, hash from audience_gate.leaf where leaf_index = 1 on conflict (leaf_index) do update set event_id = excluded.event_id`,
    told: new RegExp(`event ${event(9002)} was changed after it was sealed`),
  },
  {
    what: "two leaves are swapped",
    sql: `update audience_gate.leaf set leaf_index = -1 where leaf_index = 30;
      update audience_gate.leaf set leaf_index = 30 where leaf_index = 31;
      update audience_gate.leaf set leaf_index = 31 where leaf_index = -1`,
    told: /leaves 0 to 255 are not those that were sealed/,
  },
  {
    what: "an event is back-dated",
    sql: `update public.audience_events set created_at = created_at - interval '1 day' where id = '${event(40)}'`,
    told: new RegExp(`event ${event(40)} was changed`),
  },
  {
    what: "the end is cut off, with its seals",
    sql:
      `delete from public.audience_events e using audience_gate.leaf l where l.event_id = e.id and l.leaf_index >= 600;
      delete from audience_gate.leaf where leaf_index >= 600;
      delete from audience_gate.seal;
      insert into audience_gate.seal (size, root) values (600, audience_gate.subtree(0, 600))`,
    told: /the checkpoint covers \d+ leaves, and there are 600: the end was cut off/,
  },
  {
    what: "rows and their leaves are cut out of the middle",
    sql:
      `delete from public.audience_events e using audience_gate.leaf l where l.event_id = e.id and l.leaf_index between 100 and 109;
      delete from audience_gate.leaf where leaf_index between 100 and 109`,
    told: /10 leaves before leaf 110 are missing/,
  },
  {
    what: "a whole period is replaced",
    sql: `update public.audience_events set session_id = 'another', metadata = '{}' where id between '${
      event(50)
    }' and '${event(60)}'`,
    told: new RegExp(`event ${event(55)} was changed`),
  },
  {
    what: "a row is edited, and everything sealed again",
    sql: `update public.audience_events set metadata = '{}' where id = '${event(70)}';
      truncate audience_gate.leaf, audience_gate.tile, audience_gate.seal;
      insert into audience_gate.unsealed (event_id) select id from public.audience_events;
      insert into audience_gate.unsealed (change_id) select id from public.audience_state_events;
      select audience_gate.seal_rows('{}')`,
    told: /the first \d+ leaves do not lead to the root of the checkpoint: the history was rewritten/,
  },
  {
    what: "a change of state is handed to another person",
    sql: `update public.audience_state_events set changed_by = 'user:${
      event(1)
    }' where id = (select min(id) from public.audience_state_events)`,
    told: /change of state \d+ was changed/,
  },
];
