-- What is wrong with machines. `source` is who found it, `kind` what it is, `component` what part of the machine it is about.
create table issues (
  -- UUIDv7: grows with time, and is the order of lists.
  id uuid primary key,
  machine_id uuid not null references machines (id) on delete cascade,
  source text not null,
  kind text not null,
  component text not null,
  severity text not null check (severity in ('info', 'warning', 'critical')),
  summary text not null,
  next_step text not null,
  evidence jsonb not null,
  raise_time timestamptz not null,
  acknowledge_time timestamptz,
  acknowledged_by text not null default '',
  note text not null default '',
  clear_time timestamptz,
  clear_reason text not null default ''
);
create unique index issues_open on issues (machine_id, source, kind, component) where clear_time is null;
create index issues_list_open on issues (id desc) where clear_time is null;
create index issues_of_machine on issues (machine_id, id desc);
create index issues_cleared on issues (clear_time) where clear_time is not null;
