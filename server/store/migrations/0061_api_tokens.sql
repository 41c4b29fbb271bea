create table api_tokens (
  id uuid primary key,
  -- Of the secret, which is kept nowhere.
  sha256 bytea not null unique,
  user_id uuid not null references users on delete cascade,
  name text not null,
  -- The most that it may do, and where: beside the role of its user in that workspace. No workspace: everywhere.
  role text not null check (role in ('viewer', 'developer', 'operator', 'admin')),
  workspace_id uuid,
  create_time timestamptz not null,
  expire_time timestamptz not null,
  last_use_time timestamptz,
  last_use_address text not null default '',
  revoke_time timestamptz
);

create index api_tokens_of_user on api_tokens (user_id, id);
