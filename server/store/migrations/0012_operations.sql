-- Anything that takes longer than a request.
create table operations (
  -- UUIDv7: grows with time, and is the order of lists.
  id uuid primary key,
  kind text not null,
  state text not null check (state in ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
  steps jsonb not null default '[]',
  progress_percent double precision not null default 0 check (progress_percent between 0 and 100),
  error text not null default '',
  machine_id uuid,
  actor text not null,
  cancel_requested boolean not null default false,
  -- Raised by every change, for those who watch.
  revision integer not null default 1,
  create_time timestamptz not null,
  start_time timestamptz,
  end_time timestamptz,
  check ((end_time is not null) = (state in ('succeeded', 'failed', 'cancelled')))
);

create index operations_of_machine on operations (machine_id, id desc) where machine_id is not null;
