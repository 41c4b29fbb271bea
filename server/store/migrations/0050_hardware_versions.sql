-- A report whose text is the last one's but for times costs one comparison of wire_sha256 (workers/inventory-text.ts).
alter table machine_hardware
  add column wire_sha256 bytea,
  -- When a report said last that this is what the machine is made of.
  add column confirm_time timestamptz;
update machine_hardware set confirm_time = update_time;
alter table machine_hardware alter column confirm_time set not null;

-- Each changed inventory. Bodies are JSON, compressed with zstd: the whole report, and its parts as they are compared.
create table hardware_versions (
  machine_id uuid not null references machines (id) on delete cascade,
  number integer not null check (number > 0),
  -- Of the canonical list of parts.
  sha256 bytea not null,
  body bytea not null,
  parts bytea not null,
  part_count integer not null,
  counts jsonb not null,
  summaries jsonb not null,
  create_time timestamptz not null,
  -- Of the newest version machine_hardware knows better.
  confirm_time timestamptz not null,
  primary key (machine_id, number)
);
create index hardware_versions_by_time on hardware_versions (create_time);
