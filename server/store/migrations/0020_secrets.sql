-- Secrets of the installation, sealed with the master key (AES-256-GCM, the name is associated data). Written once.
create table secrets (
  name text primary key,
  sealed bytea not null,
  create_time timestamptz not null
);
