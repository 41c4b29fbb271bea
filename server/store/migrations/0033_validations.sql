-- Evaluations that somebody waits for: a row lives as long as its caller's stream, two minutes at most.
create table validations (
  id uuid primary key,
  actor text not null,
  -- What a builder is given: the store's BuildSpec.
  spec jsonb not null,
  create_time timestamptz not null,
  expire_time timestamptz not null,
  -- When the job was last put into the work queue, and how often; null while that is still to be done.
  job_time timestamptz,
  job_count integer not null default 0,
  claim_time timestamptz,
  -- Every builder that claimed it; the last one is the present one.
  builder_ids text[] not null default '{}',
  finish_time timestamptz,
  diagnostics jsonb not null default '[]',
  duration_ms integer not null default 0
);

create index validations_by_expiry on validations (expire_time);
