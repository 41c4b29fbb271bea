create table services (
  id uuid primary key,
  kind text not null check (kind in ('edge', 'builder')),
  name text not null,
  -- A NATS user public key ("U…").
  public_key text not null unique,
  version text not null default '',
  -- What a builder can do: [{"name", "available", "missing"}].
  backends jsonb not null default '[]',
  create_time timestamptz not null,
  last_seen_time timestamptz,
  revoke_time timestamptz
);

create unique index services_by_name on services (kind, name) where revoke_time is null;

create table join_codes (
  sha256 bytea primary key,
  kind text not null check (kind in ('edge', 'builder')),
  name text not null,
  create_time timestamptz not null,
  expire_time timestamptz not null,
  service_id uuid references services
);

-- NATS user keys whose JWTs up to this time are worth nothing. Kept for as long as such a JWT may be valid.
create table revocations (
  public_key text primary key,
  revoke_time timestamptz not null
);
