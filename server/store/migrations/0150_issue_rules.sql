-- When what an issue tells of began, and since when it is over while that has to last before the issue is cleared.
alter table issues add column since_time timestamptz, add column gone_time timestamptz;
update issues set since_time = raise_time;
alter table issues alter column since_time set not null;
-- Of hardware before; one name for everything that a disk says of itself.
update issues set kind = 'disk_failing' where kind = 'smart_failed';

-- What holds on a machine, but not yet for long enough to be an issue. Only of rules that cannot tell from other facts when it began.
create table issue_conditions (
  machine_id uuid not null references machines (id) on delete cascade,
  kind text not null,
  component text not null,
  since_time timestamptz not null,
  primary key (machine_id, kind, component)
);

-- What operators set of a rule; null: as it comes.
create table issue_rules (
  kind text primary key,
  enabled boolean,
  severity text check (severity in ('info', 'warning', 'critical')),
  raise_after_seconds integer check (raise_after_seconds >= 0),
  clear_after_seconds integer check (clear_after_seconds >= 0),
  window_seconds integer check (window_seconds > 0),
  -- {"celsius": {"raiseAt": 90, "clearAt": 85}}
  thresholds jsonb not null default '{}',
  update_time timestamptz not null,
  updated_by text not null
);
