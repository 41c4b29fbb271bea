-- What was brought over from other systems: which row here each of their records is, and what was taken from it (field → digest), so that
-- what was changed here since is told from what changed there. No reference: what was deleted here stays known, and is not made again.
create table import_origins (
  source text not null,
  kind text not null check (kind in ('machine', 'group', 'user')),
  origin_id text not null,
  local_id uuid not null,
  taken jsonb not null default '{}',
  create_time timestamptz not null,
  update_time timestamptz not null,
  primary key (source, kind, origin_id)
);
create index import_origins_by_local on import_origins (kind, local_id);

-- What happened to machines elsewhere, as it was told there.
create table imported_records (
  id uuid primary key,
  source text not null,
  kind text not null,
  origin_id text not null,
  machine_id uuid not null references machines (id) on delete cascade,
  time timestamptz not null,
  title text not null,
  details text not null,
  unique (source, kind, origin_id)
);
create index imported_records_of_machine on imported_records (machine_id, time desc, id desc);
