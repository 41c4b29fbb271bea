-- Where events are sent to. What they are sent with is sealed: signing secrets and the values of headers.
create table webhooks (
  id uuid primary key,
  name text not null,
  url text not null,
  event_types text[] not null,
  filter text not null,
  template text not null,
  content_type text not null,
  header_names text[] not null,
  -- JSON object of header values by lower-case name (AES-256-GCM).
  sealed_headers bytea not null,
  -- The present signing secret, and the one before it while it signs as well.
  sealed_secret bytea not null,
  sealed_old_secret bytea,
  old_secret_end_time timestamptz,
  enabled boolean not null,
  disabled_reason text not null default '',
  attempts_max integer not null check (attempts_max between 1 and 20),
  -- Events after this position of the journal are its own.
  from_position bigint not null,
  consecutive_failures integer not null default 0,
  failing_since_time timestamptz,
  next_attempt_time timestamptz,
  -- Of the server that sends for it now; void once its time is over, on the database's clock.
  claim uuid,
  claim_end_time timestamptz,
  create_time timestamptz not null,
  update_time timestamptz not null,
  check ((sealed_old_secret is null) = (old_secret_end_time is null)),
  check ((claim is null) = (claim_end_time is null))
);

create unique index webhooks_by_name on webhooks (lower(name));

-- One event on its way to one webhook. Written once per event by whoever moves the cursor below.
create table webhook_deliveries (
  id uuid primary key,
  webhook_id uuid not null references webhooks on delete cascade,
  -- 0 for a test.
  event_position bigint not null,
  event_id uuid not null,
  event_type text not null,
  state text not null check (state in ('pending', 'delivered', 'dead')),
  -- Tries since it was queued, or queued again.
  attempt_count integer not null default 0,
  status_code integer not null default 0,
  error text not null default '',
  duration_ms integer not null default 0,
  create_time timestamptz not null,
  end_time timestamptz,
  check ((state = 'pending') = (end_time is null))
);

-- A webhook gets an event once, and its events in order.
create unique index webhook_deliveries_once on webhook_deliveries (webhook_id, event_position) where event_position > 0;
create index webhook_deliveries_pending on webhook_deliveries (webhook_id, event_position) where state = 'pending';
create index webhook_deliveries_dead on webhook_deliveries (webhook_id, event_position) where state = 'dead';
create index webhook_deliveries_newest on webhook_deliveries (webhook_id, id desc);
create index webhook_deliveries_ended on webhook_deliveries (end_time) where state <> 'pending';

create table webhook_attempts (
  delivery_id uuid not null references webhook_deliveries on delete cascade,
  time timestamptz not null,
  status_code integer not null,
  duration_ms integer not null,
  error text not null,
  -- The first bytes of the answer, as text.
  answer text not null
);

create index webhook_attempts_of_delivery on webhook_attempts (delivery_id, time);

-- Up to which position of the journal deliveries have been made. One row.
create table webhook_cursor (
  singleton boolean primary key default true check (singleton),
  position bigint not null
);

insert into webhook_cursor (position) select coalesce(max(position), 0) from events;
