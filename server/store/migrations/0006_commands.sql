-- What agents are told to do. Sent on core NATS, which promises nothing: resent until the result comes or the time is over.
create table commands (
  id uuid primary key,
  machine_id uuid not null references machines (id) on delete cascade,
  operation text not null check (operation in ('reboot', 'power_off', 'collect_inventory', 'locate')),
  state text not null check (state in ('pending', 'succeeded', 'failed', 'timed_out')),
  actor text not null,
  reason text not null default '',
  message text not null default '',
  create_time timestamptz not null,
  expire_time timestamptz not null,
  send_time timestamptz,
  send_count integer not null default 0,
  finish_time timestamptz
);
create index commands_pending on commands (send_time nulls first) where state = 'pending';
create index commands_of_machine on commands (machine_id, create_time desc);
