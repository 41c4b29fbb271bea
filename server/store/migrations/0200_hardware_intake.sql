-- Inventories that were received and are not yet taken in: receiving one costs a row, taking it in costs a hundred. In the order of a machine.
create table hardware_intake (
  machine_id uuid not null references machines (id) on delete cascade,
  report_id uuid not null,
  -- Whose subject it came on: another record than machine_id, once the two were merged.
  sender_id uuid not null,
  -- By the bus, and the place in its stream: of one machine they are taken in in this order.
  receive_time timestamptz not null,
  sequence bigint not null,
  -- When a report said last the same in the same words.
  confirm_time timestamptz not null,
  -- As in machine_hardware; null when the text is none that agents write.
  wire_sha256 bytea,
  -- The whole report as it came, compressed with zstd.
  body bytea not null,
  keep_time timestamptz not null default now(),
  -- When it may be taken in: at once, or after a failure later.
  try_time timestamptz not null default now(),
  failures integer not null default 0,
  primary key (machine_id, report_id)
);
-- It is compressed already.
alter table hardware_intake alter column body set storage external;
create index hardware_intake_by_try_time on hardware_intake (try_time);
