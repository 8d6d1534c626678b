-- The tree over the leaves, hashed as in RFC 9162: its tops, its root at any size, and the proofs.

create or replace function audience_gate.top(hashes bytea[])
returns bytea
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
declare
  level bytea[] := hashes;
begin
  -- Pairing neighbours and passing an odd one on gives the same tree as the split at the largest power of two.
  while cardinality(level) > 1 loop
    level := array(
      select case when p.next is null then p.hash else sha256('\x01'::bytea || p.hash || p.next) end
      from (
        select l.hash, l.place, lead(l.hash) over (order by l.place) as next
        from unnest(level) with ordinality as l (hash, place)
      ) p
      where p.place % 2 = 1
      order by p.place);
  end loop;
  return level[1];
end;
$$;
comment on function audience_gate.top(bytea[]) is 'The top of the tree over these hashes.';

create or replace function audience_gate.subtree(first bigint, past bigint)
returns bytea
language plpgsql
stable
set search_path = ''
as $$
declare
  size bigint := past - first;
  left_size bigint := 1;
  full_level integer := 0;
  tile_size bigint := 1;
begin
  while left_size * 2 < size loop
    left_size := left_size * 2;
  end loop;
  if size > 1 and left_size * 2 <> size then
    return sha256('\x01'::bytea || audience_gate.subtree(first, first + left_size)
      || audience_gate.subtree(first + left_size, past));
  end if;
  -- As many leaves as a power of two: of the largest tiles that fit, at most 128.
  while tile_size * 256 <= size loop
    tile_size := tile_size * 256;
    full_level := full_level + 1;
  end loop;
  if full_level = 0 then
    return audience_gate.top(array(
      select l.hash from audience_gate.leaf l where l.leaf_index >= first and l.leaf_index < past order by l.leaf_index));
  end if;
  return audience_gate.top(array(
    select t.hash from audience_gate.tile t
    where t.level = full_level and t.tile_index >= first / tile_size and t.tile_index < past / tile_size
    order by t.tile_index));
end;
$$;
comment on function audience_gate.subtree(bigint, bigint) is
  'The top over the leaves from one place up to another; the first is a multiple of the largest power of two within.';

create or replace function audience_gate.inclusion_proof(leaf bigint, size bigint)
returns bytea[]
language plpgsql
stable
set search_path = ''
as $$
declare
  first bigint := 0;
  past bigint := size;
  half bigint;
  proof bytea[] := '{}'::bytea[];
begin
  if leaf < 0 or leaf >= size or size > (select coalesce(max(l.leaf_index) + 1, 0) from audience_gate.leaf l) then
    raise exception 'the tree of that size has no such leaf' using errcode = 'no_data_found';
  end if;
  while past - first > 1 loop
    half := 1;
    while half * 2 < past - first loop
      half := half * 2;
    end loop;
    if leaf < first + half then
      proof := audience_gate.subtree(first + half, past) || proof;
      past := first + half;
    else
      proof := audience_gate.subtree(first, first + half) || proof;
      first := first + half;
    end if;
  end loop;
  return proof;
end;
$$;
comment on function audience_gate.inclusion_proof(bigint, bigint) is
  'The hashes by which a leaf leads to the root of the tree of a size, from the leaf up.';

create or replace function audience_gate.consistency_proof(old_size bigint, size bigint)
returns bytea[]
language plpgsql
stable
set search_path = ''
as $$
declare
  first bigint := 0;
  past bigint := size;
  half bigint;
  is_whole boolean := true;
  proof bytea[] := '{}'::bytea[];
begin
  if old_size < 1 or old_size > size or size > (select coalesce(max(l.leaf_index) + 1, 0) from audience_gate.leaf l) then
    raise exception 'there are no two such trees' using errcode = 'no_data_found';
  end if;
  while past <> old_size loop
    half := 1;
    while half * 2 < past - first loop
      half := half * 2;
    end loop;
    if old_size <= first + half then
      proof := audience_gate.subtree(first + half, past) || proof;
      past := first + half;
    else
      proof := audience_gate.subtree(first, first + half) || proof;
      first := first + half;
      is_whole := false;
    end if;
  end loop;
  return case when is_whole then proof else audience_gate.subtree(first, past) || proof end;
end;
$$;
comment on function audience_gate.consistency_proof(bigint, bigint) is
  'The hashes by which the root of a tree leads to the root of a larger one that begins with it.';
