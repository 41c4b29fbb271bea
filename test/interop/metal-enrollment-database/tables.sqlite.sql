-- The tables of Metal Enrollment as it has them in SQLite: names and types, which the import reads.

create table users (
  id text primary key,
  username text not null unique,
  email text not null unique,
  password_hash text not null,
  role text not null,
  active boolean not null default true,
  created_at timestamp not null,
  updated_at timestamp not null,
  last_login_at timestamp
);

create table api_keys (
  id text primary key,
  user_id text not null references users (id) on delete cascade,
  name text not null,
  key text not null unique,
  active boolean not null default true,
  created_at timestamp not null,
  expires_at timestamp,
  last_used_at timestamp
);

create table machines (
  id text primary key,
  service_tag text not null unique,
  mac_address text not null,
  status text not null,
  hostname text,
  description text,
  hardware text,
  nixos_config text,
  last_build_id text,
  last_build_time timestamp,
  enrolled_at timestamp not null,
  updated_at timestamp not null,
  last_seen_at timestamp,
  bmc_info text
);

create table builds (
  id text primary key,
  machine_id text not null references machines (id),
  status text not null,
  config text not null,
  log_output text,
  error text,
  artifact_url text,
  created_at timestamp not null,
  completed_at timestamp
);

create table groups (
  id text primary key,
  name text not null unique,
  description text,
  tags text,
  created_at timestamp not null,
  updated_at timestamp not null
);

create table group_memberships (
  group_id text not null,
  machine_id text not null,
  added_at timestamp not null,
  primary key (group_id, machine_id)
);

create table power_operations (
  id text primary key,
  machine_id text not null references machines (id) on delete cascade,
  operation text not null,
  status text not null,
  result text,
  error text,
  initiated_by text not null,
  created_at timestamp not null,
  completed_at timestamp
);

create table machine_metrics (
  id text primary key,
  machine_id text not null references machines (id) on delete cascade,
  timestamp timestamp not null,
  cpu_usage_percent real not null,
  memory_used_bytes bigint not null,
  memory_total_bytes bigint not null,
  disk_used_bytes bigint not null,
  disk_total_bytes bigint not null,
  network_rx_bytes bigint not null,
  network_tx_bytes bigint not null,
  load_average_1 real not null,
  load_average_5 real not null,
  load_average_15 real not null,
  temperature real,
  power_state text not null,
  uptime bigint not null
);

create table image_tests (
  id text primary key,
  image_path text not null,
  image_type text not null,
  test_type text not null,
  status text not null,
  result text,
  error text,
  machine_id text references machines (id) on delete set null,
  created_at timestamp not null,
  completed_at timestamp
);

create table webhooks (
  id text primary key,
  name text not null,
  url text not null,
  events text not null,
  secret text,
  active boolean not null default true,
  headers text,
  timeout integer not null default 30,
  max_retries integer not null default 3,
  last_success timestamp,
  last_failure timestamp,
  created_at timestamp not null,
  updated_at timestamp not null
);

create table machine_templates (
  id text primary key,
  name text not null unique,
  description text,
  nixos_config text not null,
  bmc_config text,
  tags text,
  variables text,
  created_at timestamp not null,
  updated_at timestamp not null,
  created_by text not null
);

create table machine_events (
  id text primary key,
  machine_id text not null references machines (id) on delete cascade,
  event text not null,
  data text,
  created_at timestamp not null,
  created_by text
);
