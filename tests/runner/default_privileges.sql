-- What projects have that Supabase set up before it stopped exposing new tables: whatever the role of the migrations
-- makes in schema public is open to every role of the API until a migration says otherwise. A superuser runs this.
alter default privileges for role postgres in schema public grant all on tables to anon, authenticated, service_role;
alter default privileges for role postgres in schema public grant all on sequences to anon, authenticated, service_role;
alter default privileges for role postgres in schema public grant all on functions to anon, authenticated, service_role;
