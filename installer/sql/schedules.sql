-- The jobs that ship. Nothing is scheduled until somebody calls audience_gate.enable_jobs(): pg_cron is neither created nor
-- told of them here.

alter table audience_gate.jobs disable trigger trg_jobs_changed;

-- JOBS

alter table audience_gate.jobs enable trigger trg_jobs_changed;
