-- Samples, one partition a UTC day (metrics_YYYYMMDD). The server makes partitions ahead and drops them after METRICS_RETENTION_DAYS.
create table metrics (
  machine_id uuid not null,
  -- By the server's clock.
  time timestamptz not null,
  cpu_usage_percent double precision,
  memory_used_bytes bigint,
  memory_total_bytes bigint,
  disk_used_bytes bigint,
  disk_total_bytes bigint,
  network_rx_bytes bigint,
  network_tx_bytes bigint,
  load1 double precision,
  load5 double precision,
  load15 double precision,
  temperature double precision,
  power_state text,
  uptime double precision
) partition by range (time);

create index metrics_of_machine on metrics (machine_id, time desc);

-- Which samples of each run of an agent are stored: a redelivered batch is stored once, also when a later one came before it.
create table metrics_sessions (
  machine_id uuid not null,
  session text not null,
  -- Closed ranges of sequence numbers: [[0, 119], [121, 130]]
  received jsonb not null default '[]',
  update_time timestamptz not null,
  primary key (machine_id, session)
);

create index metrics_sessions_by_time on metrics_sessions (update_time);
