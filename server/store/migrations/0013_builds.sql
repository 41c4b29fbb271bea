create table builds (
  id uuid primary key references operations (id) on delete cascade,
  image_kind text not null check (image_kind in ('registration', 'machine', 'rescue', 'uploaded')),
  variant text not null check (variant in ('full', 'virtual')),
  backend text not null,
  machine_id uuid,
  -- What the machine shall run, as it was when the build was asked for.
  image_config jsonb,
  nixos_config text not null default '',
  -- Queued or running.
  live boolean not null default true,
  -- Raised by every claim. Every report carries it; an older one is refused.
  attempt integer not null default 0,
  builder_id text,
  claim_time timestamptz,
  report_time timestamptz,
  -- When the job was last put into the work queue, and how often; null while that is still to be done.
  job_time timestamptz,
  job_count integer not null default 0,
  image_id text references images (id),
  cached boolean not null default false,
  -- Of a build that failed: they keep the console.
  boot_tests jsonb not null default '[]',
  log_bytes bigint not null default 0
);

-- One build at a time of a machine, and of a variant of the registration image.
create unique index builds_live_of_machine on builds (machine_id) where live and machine_id is not null;
create unique index builds_live_registration on builds (variant) where live and image_kind = 'registration';
create index builds_live on builds (id) where live;
create index builds_of_machine on builds (machine_id, id desc);
create index builds_registration on builds (variant, id desc) where image_kind = 'registration';

-- Written while the build's row is locked: the numbers of one build are in the order of commits.
create table build_log_chunks (
  build_id uuid not null references builds (id) on delete cascade,
  number bigint generated always as identity,
  time timestamptz not null,
  -- Lines, each with its line end.
  text text not null,
  primary key (build_id, number)
);
