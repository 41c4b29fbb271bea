-- The journal. A row is written in the transaction of the change it tells about; the relay then gives it a gapless position.
create table events (
  id uuid primary key,
  time timestamptz not null,
  type text not null check (type ~ '^[a-z_]+\.[a-z_]+$'),
  actor text not null,
  machine_id uuid,
  subject text not null default '',
  data jsonb not null default '{}',
  -- Commit order, given by the relay; null until then. Ids are not in commit order.
  position bigint unique,
  -- SHA-256 over the previous row's hash and this row (docs/decisions/0002-journal.md).
  hash bytea,
  published boolean not null default false,
  check ((position is null) = (hash is null))
);

create index events_waiting on events (id) where position is null;
create index events_unpublished on events (position) where not published and position is not null;
create index events_of_machine on events (machine_id, position) where machine_id is not null;
