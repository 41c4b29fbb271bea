alter table builds
  -- What the nix back end was given besides nixos_config, as it was when the build was asked for.
  add column templates jsonb not null default '[]',
  add column facts jsonb,
  -- Of a build that failed because of its configuration.
  add column diagnostics jsonb not null default '[]';
