-- Tests that an image must have passed before a machine of the group may have it.
alter table groups add column image_gate text[] not null default '{}';

-- Images that were built for a machine and wait for the tests that its groups require.
create table held_images (
  machine_id uuid primary key references machines (id) on delete cascade,
  image_id text not null references images (id) on delete cascade,
  actor text not null,
  verdict text not null check (verdict in ('waiting', 'closed')),
  reason text not null,
  create_time timestamptz not null,
  update_time timestamptz not null
);
