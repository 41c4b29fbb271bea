create table boot_sessions (
  id uuid primary key,
  -- As the edge numbered it. What a machine sends is never trusted: another MAC with the same number is another session.
  edge_session text not null,
  mac_address text not null default '',
  machine_id uuid references machines (id) on delete cascade,
  uuid text not null default '',
  serial text not null default '',
  ip_address text not null default '',
  platform text not null default '',
  state text not null check (state in ('open', 'stalled', 'completed')),
  image_id text,
  hop_count integer not null default 0,
  -- The whole image was fetched: from then on a missing hello counts against the image.
  fetch_time timestamptz,
  -- The trial of the image was judged: by a hello, or by its time limit.
  judged boolean not null default false,
  start_time timestamptz not null,
  -- The server's clock; hops carry the edge's.
  heard_time timestamptz not null,
  end_time timestamptz,
  unique (edge_session, mac_address)
);
create index boot_sessions_of_machine on boot_sessions (machine_id, start_time desc, id desc);
create index boot_sessions_open on boot_sessions (heard_time) where state = 'open';
create index boot_sessions_on_trial on boot_sessions (fetch_time) where not judged and fetch_time is not null;
create index boot_sessions_by_start on boot_sessions (start_time);

create table boot_hops (
  id uuid primary key,
  session_id uuid not null references boot_sessions (id) on delete cascade,
  kind text not null check (kind in (
    'loader', 'script', 'kernel', 'initrd', 'token', 'layer', 'failure', 'enrolled', 'hello'
  )),
  time timestamptz not null,
  ip_address text not null default '',
  detail text not null default '',
  bytes bigint not null default 0,
  complete boolean not null default false,
  image_id text
);
create index boot_hops_of_session on boot_hops (session_id, time, id);
