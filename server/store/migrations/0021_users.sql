create table users (
  id uuid primary key,
  username text not null unique check (username ~ '^[a-z0-9][a-z0-9._-]{0,62}$'),
  email text not null default '',
  role text not null check (role in ('viewer', 'developer', 'operator', 'admin')),
  -- PHC string, argon2id.
  password_hash text not null,
  create_time timestamptz not null
);

create table sessions (
  id uuid primary key,
  user_id uuid not null references users on delete cascade,
  create_time timestamptz not null,
  expire_time timestamptz not null,
  end_time timestamptz,
  end_reason text not null default '',
  check ((end_time is null) = (end_reason = ''))
);

create index sessions_of_user on sessions (user_id);
create index sessions_by_expiry on sessions (expire_time);

-- Each works once; a used one that comes again ends the session.
create table refresh_tokens (
  sha256 bytea primary key,
  session_id uuid not null references sessions on delete cascade,
  create_time timestamptz not null,
  use_time timestamptz
);

create index refresh_tokens_of_session on refresh_tokens (session_id);

create table setup_codes (
  sha256 bytea primary key,
  create_time timestamptz not null,
  expire_time timestamptz not null
);

-- Failed sign-ins, counted by account, by address and by both.
create table login_failures (
  key text primary key,
  count integer not null,
  last_time timestamptz not null
);

create index login_failures_by_time on login_failures (last_time);
