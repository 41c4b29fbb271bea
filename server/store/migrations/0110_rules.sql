-- What becomes of machines that report for the first time, by what they are (docs/discovery.md).
create table rules (
  id uuid primary key,
  name text not null,
  description text not null,
  priority integer not null,
  disabled boolean not null,
  -- A filter; empty meets every machine.
  condition text not null,
  decision text not null check (decision in ('none', 'accept', 'hold', 'reject')),
  group_id uuid references groups (id) on delete set null,
  labels jsonb not null,
  templates jsonb not null,
  boot_profile jsonb,
  create_time timestamptz not null,
  update_time timestamptz not null
);
create unique index rules_by_name on rules (lower(name));
create index rules_by_group on rules (group_id) where group_id is not null;

-- What rules said about a machine last, and what they gave it: nothing is given twice, so that what an operator took away stays away.
create table machine_rules (
  machine_id uuid primary key references machines (id) on delete cascade,
  -- Null: not yet.
  apply_time timestamptz,
  decision text not null default 'none' check (decision in ('none', 'accept', 'hold', 'reject')),
  decision_rule text not null default '',
  -- The acceptance policy lets it in when no rule decides.
  policy_accepts boolean not null default false,
  labels jsonb not null default '{}',
  group_ids uuid[] not null default '{}',
  -- [{"rule", "templates"}] and [{"rule", "field", "value"}], the first of each counts.
  templates jsonb not null default '[]',
  boot_profile jsonb not null default '[]'
);
-- Machines that are known by now are no discoveries any more, unless they wait still.
insert into machine_rules (machine_id, apply_time) select machine_id, now() from machine_hardware;

-- What machines inherit from their groups; of several the highest priority counts, then the name.
alter table groups
  add column priority integer not null default 0,
  add column templates jsonb not null default '[]',
  add column boot_profile jsonb;
