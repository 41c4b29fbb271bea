create table images (
  -- SHA-256 of kernel, initrds, layers and command line.
  id text primary key check (id ~ '^[0-9a-f]{64}$'),
  kind text not null check (kind in ('registration', 'machine', 'rescue', 'uploaded')),
  variant text not null check (variant in ('full', 'virtual')),
  backend text not null,
  -- Hash of all inputs: nothing is built twice.
  input_key text not null unique,
  -- kernel, initrds, layers, commandLine
  manifest jsonb not null,
  memory_required_bytes bigint not null,
  build_id uuid,
  create_time timestamptz not null
);

create index images_by_creation on images (create_time desc, id desc);
create index images_of_kind on images (kind, create_time desc, id desc);

create table boot_tests (
  image_id text not null references images (id) on delete cascade,
  firmware text not null check (firmware in ('bios', 'uefi')),
  passed boolean not null,
  duration_ms integer not null,
  console_tail text not null default '',
  failure text not null default '',
  -- The image whose test of the same parts was taken over.
  reused_from_image_id text,
  primary key (image_id, firmware)
);

-- Passed tests by what was tested, so that an image that differs only in a harmless layer need not be tested again.
create table boot_test_results (
  -- SHA-256 of the sorted digests of kernel, initrds and layers.
  artifacts_key text not null,
  firmware text not null check (firmware in ('bios', 'uefi')),
  duration_ms integer not null,
  image_id text not null references images (id) on delete cascade,
  primary key (artifacts_key, firmware)
);
