-- One action on many machines: an operation with a child for each of them.
create table bulks (
  id uuid primary key references operations (id) on delete cascade,
  action text not null check (action in ('update', 'build', 'reboot', 'label', 'assign', 'release', 'delete', 'rollout')),
  -- What is done to each machine.
  spec jsonb not null default '{}',
  -- How its machines were chosen, in words.
  selection text not null,
  -- In whose name it goes on: who started it, or resumed it.
  actor text not null,
  -- Of a person: looked at before each machine. No reference: a deleted one has no rights either.
  user_id uuid,
  address text not null default '',
  dry_run boolean not null default false,
  -- Machines at the same time.
  concurrency integer not null check (concurrency > 0),
  -- With one more failure nothing further is begun; null: never.
  failures_max integer,
  -- Of a roll-out that was resumed after failures: so many no longer count.
  failures_forgiven integer not null default 0,
  -- Nothing is begun while it is held.
  hold text not null default '' check (hold in ('', 'paused', 'halted')),
  hold_reason text not null default '',
  -- Children of this wave and of those before it may begin.
  wave integer not null default 1,
  waves integer not null default 1,
  -- Machines of a first wave of their own.
  canary integer not null default 0,
  -- From the reboot to ACTIVE in the new image.
  machine_limit_seconds integer not null default 0
);

-- Their work, and what it came to, commit together.
create table bulk_children (
  bulk_id uuid not null references bulks (id) on delete cascade,
  number integer not null,
  -- No reference: what became of a machine is told after it is gone. Null: the request named none that there is.
  machine_id uuid,
  machine text not null,
  wave integer not null default 1,
  state text not null check (state in ('queued', 'running', 'succeeded', 'failed', 'skipped', 'cancelled')),
  step text not null default '',
  summary text not null default '',
  error text not null default '',
  build_id uuid,
  command_id uuid,
  image_id text,
  start_time timestamptz,
  -- Of the present step.
  step_time timestamptz,
  end_time timestamptz,
  primary key (bulk_id, number),
  check ((end_time is not null) = (state in ('succeeded', 'failed', 'skipped', 'cancelled')))
);
create index bulk_children_queued on bulk_children (bulk_id, number) where state = 'queued';
create index bulk_children_running on bulk_children (bulk_id, number) where state = 'running';
create index bulk_children_failed on bulk_children (bulk_id, number) where state = 'failed';
create index bulk_children_of_machine on bulk_children (machine_id, bulk_id) where machine_id is not null;
-- Those that a server has to drive, found without a look at the others.
create index operations_live_bulks on operations (id) where state in ('queued', 'running') and kind in ('bulk', 'rollout');
