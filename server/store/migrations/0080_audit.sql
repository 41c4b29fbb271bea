-- Who did what. A row is written in the transaction of the change it tells about; the relay then gives it a gapless position and its link
-- of the chain. Indexes but the first two hold placed rows only: a mutation pays for two, the relay for the rest.
create table audit_entries (
  -- Of a change: the id of its journal event.
  id uuid primary key,
  sequence bigint generated always as identity,
  time timestamptz not null,
  call_id uuid,
  actor text not null,
  address text not null default '',
  method text not null default '',
  resource text not null default '',
  action text not null default '',
  request jsonb,
  before jsonb,
  after jsonb,
  outcome text not null check (outcome in ('ok', 'refused', 'failed')),
  code text not null default 'ok',
  error text not null default '',
  count integer not null default 1 check (count > 0),
  duration_ms integer not null default 0,
  -- Commit order; null until the relay has placed it.
  position bigint,
  -- SHA-256 over the hash before and this row (docs/audit.md).
  hash bytea,
  check ((position is null) = (hash is null))
);

create index audit_entries_waiting on audit_entries (sequence) where position is null;
create unique index audit_entries_by_position on audit_entries (position) where position is not null;
create index audit_entries_of_actor on audit_entries (actor, position) where position is not null;
create index audit_entries_of_resource on audit_entries (resource text_pattern_ops, position) where position is not null;
create index audit_entries_by_time on audit_entries (time) where position is not null;
create index audit_entries_not_ok on audit_entries (position) where position is not null and outcome <> 'ok';

-- The chain's hash at a position, signed with the installation's key. `truncated`: the entries up to it are gone by retention.
create table audit_checkpoints (
  position bigint primary key,
  hash bytea not null,
  time timestamptz not null,
  truncated boolean not null,
  signature bytea not null
);
