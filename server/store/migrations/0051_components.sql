-- Parts with a usable serial (domain/identifiers.ts), whatever machine they are in.
create table components (
  id uuid primary key,
  kind text not null,
  serial text not null,
  model text not null,
  create_time timestamptz not null,
  unique (kind, serial, model)
);
create index components_by_serial on components (serial text_pattern_ops);

-- Where a component was, and until when. No reference to the machine: the path outlives it.
create table component_stays (
  component_id uuid not null references components (id) on delete cascade,
  machine_id uuid not null,
  slot text not null,
  arrive_time timestamptz not null,
  leave_time timestamptz,
  primary key (component_id, arrive_time, machine_id, slot)
);
-- A thing is in one place.
create unique index component_stays_now on component_stays (component_id) where leave_time is null;
create index component_stays_of_machine on component_stays (machine_id, leave_time);
create index component_stays_ended on component_stays (leave_time) where leave_time is not null;
