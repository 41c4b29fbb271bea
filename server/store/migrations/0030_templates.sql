-- NixOS modules with typed parameters that machines share. A name's row is what changes of it lock, and machines that begin to use it.
create table templates (
  name text primary key check (name ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'),
  -- Comes with Muster.
  builtin boolean not null,
  create_time timestamptz not null
);

-- Never changed: a machine may name one.
create table template_versions (
  name text not null references templates (name) on delete cascade,
  version integer not null check (version > 0),
  description text not null,
  nixos_module text not null,
  -- [{"name", "type", …}]
  parameters jsonb not null,
  create_time timestamptz not null,
  primary key (name, version)
);
