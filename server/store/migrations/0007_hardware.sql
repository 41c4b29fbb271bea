-- The whole last inventory: JSON, compressed with zstd. The digest is of the JSON.
create table machine_hardware (
  machine_id uuid primary key references machines (id) on delete cascade,
  sha256 bytea not null,
  body bytea not null,
  update_time timestamptz not null
);
