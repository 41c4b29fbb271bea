-- Machines that belong together: by hand (group_members), or by a filter that is evaluated whenever somebody asks.
create table groups (
  id uuid primary key,
  name text not null,
  description text not null,
  tags text[] not null,
  -- Empty: by hand.
  filter text not null,
  create_time timestamptz not null,
  update_time timestamptz not null
);
create unique index groups_by_name on groups (lower(name));

create table group_members (
  group_id uuid not null references groups (id) on delete cascade,
  machine_id uuid not null references machines (id) on delete cascade,
  primary key (group_id, machine_id)
);
create index group_members_by_machine on group_members (machine_id, group_id);
