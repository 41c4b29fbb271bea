-- Tests of images that somebody, or the gate of a group, asked for; the boot tests of a build are in boot_tests.
create table image_tests (
  id uuid primary key,
  -- Null for a disk image.
  image_id text references images (id) on delete cascade,
  image_path text not null,
  image_type text not null check (image_type in ('custom', 'registration')),
  -- name, sha256, sizeBytes: a copy in the image store of the file that was tested.
  disk jsonb,
  test_type text not null check (test_type in ('boot', 'hello', 'network', 'service', 'script')),
  firmwares text[] not null,
  -- units, script, scriptName, resolveName, checkTimeLimitSeconds, timeLimitSeconds
  plan jsonb not null,
  -- What gates call it.
  names text[] not null,
  machine_id uuid,
  actor text not null,
  status text not null default 'pending'
    check (status in ('pending', 'running', 'passed', 'failed', 'cancelled', 'error')),
  cancel_requested boolean not null default false,
  -- Raised by every claim. Every report carries it; an older one is refused.
  attempt integer not null default 0,
  builder_id text,
  claim_time timestamptz,
  report_time timestamptz,
  -- When the job was last put into the work queue, and how often; null while that is still to be done.
  job_time timestamptz,
  job_count integer not null default 0,
  stage text not null default '',
  results jsonb not null default '[]',
  failure text not null default '',
  -- Files of the image store: name, sha256, sizeBytes.
  screenshot jsonb,
  serial_log jsonb,
  log_bytes bigint not null default 0,
  revision bigint not null default 1,
  create_time timestamptz not null,
  start_time timestamptz,
  end_time timestamptz
);

create index image_tests_of_image on image_tests (image_id, id desc);
create index image_tests_of_path on image_tests (image_path, id desc);
create index image_tests_of_machine on image_tests (machine_id, id desc);
create index image_tests_live on image_tests (id) where status in ('pending', 'running');

-- The serial console while the test runs; afterwards it is a file of the image store. Written while the test's row is locked.
create table image_test_log_chunks (
  test_id uuid not null references image_tests (id) on delete cascade,
  number bigint generated always as identity,
  time timestamptz not null,
  text text not null,
  primary key (test_id, number)
);
