-- Words of an install's own by which a key names personal data, besides those of the contract: how it calls the number
-- of a member or of a file. They are part of the registry, so every engine judges by them.

create table if not exists public.audience_personal_words (
  words text primary key,
  reason text not null,
  created_at timestamptz not null default now(),
  constraint audience_personal_words_words_chk check (
    length(words) <= 64 and words ~ '^([a-z\u0080-\U0010ffff]+|[0-9]+)( ([a-z\u0080-\U0010ffff]+|[0-9]+)){0,2}$'
  ),
  constraint audience_personal_words_reason_chk check (length(reason) between 1 and 512)
);
comment on table public.audience_personal_words is
  'Words by which a key of metadata names personal data in this install, besides those of the contract; at most 200 rows.';
comment on column public.audience_personal_words.words is
  'One to three words of a key, as they follow each other in it: in small letters, a space between them, letters and '
  'digits apart. member number stands for memberNumber, member_number and old-member-number.';
comment on column public.audience_personal_words.reason is 'What the words stand for, for the people who read the list.';
comment on column public.audience_personal_words.created_at is 'When the row was made.';
alter table public.audience_personal_words enable row level security;
revoke all on table public.audience_personal_words from public, anon, authenticated, service_role;
grant select on table public.audience_personal_words to authenticated, audience_gate_owner, audience_gate_store;
grant select, insert, delete on table public.audience_personal_words to service_role;
drop policy if exists audience_personal_words_select on public.audience_personal_words;
create policy audience_personal_words_select on public.audience_personal_words for select to authenticated using (true);
drop policy if exists audience_personal_words_gate on public.audience_personal_words;
create policy audience_personal_words_gate on public.audience_personal_words for select
  to audience_gate_owner, audience_gate_store using (true);

drop trigger if exists trg_touch_registry on public.audience_personal_words;
create trigger trg_touch_registry after insert or update or delete or truncate on public.audience_personal_words
  for each statement execute function audience_gate.touch_registry();

create or replace function audience_gate.bound_personal_words()
returns trigger
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
  -- Every key of every event is compared with each of them. Two statements cannot pass together, because the trigger
  -- before this one locks the registry's one row.
  if (select count(*) from public.audience_personal_words) > 200 then
    raise exception 'audience_personal_words would have more than 200 rows'
      using errcode = 'check_violation', hint = 'list the words that your keys use, and not whole sentences';
  end if;
  return null;
end;
$$;
comment on function audience_gate.bound_personal_words() is 'Refuses a statement that would leave more than 200 rows.';
revoke all on function audience_gate.bound_personal_words() from public, anon, authenticated, service_role;
drop trigger if exists trg_within_bound on public.audience_personal_words;
create trigger trg_within_bound after insert on public.audience_personal_words
  for each statement execute function audience_gate.bound_personal_words();
alter function audience_gate.bound_personal_words() owner to audience_gate_owner;
