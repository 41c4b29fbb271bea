-- Paths of the Nix store that machines may fetch by their edge.
create table store_paths (
  -- The 32 characters that name it.
  hash text primary key check (hash ~ '^[0-9a-df-np-sv-z]{32}$'),
  -- As machines get it, signed by this site.
  narinfo text not null,
  -- What it refers to, itself left out.
  reference_hashes text[] not null,
  -- The archive in the image store.
  nar_sha256 text not null check (nar_sha256 ~ '^[0-9a-f]{64}$'),
  nar_size_bytes bigint not null,
  -- When a builder last asked for it or published it.
  use_time timestamptz not null
);

create index store_paths_by_archive on store_paths (nar_sha256);

-- Whole systems: their paths stay as long as there is an image with the input key.
create table systems (
  input_key text primary key check (input_key ~ '^[0-9a-f]{64}$'),
  hashes text[] not null,
  use_time timestamptz not null
);
