-- A role stands beside a user, so that the same person may have another one in each workspace. No workspace: everywhere.
-- The foreign key comes with the table of workspaces.
create table role_bindings (
  user_id uuid not null references users on delete cascade,
  workspace_id uuid,
  role text not null check (role in ('viewer', 'developer', 'operator', 'admin')),
  create_time timestamptz not null,
  unique nulls not distinct (user_id, workspace_id)
);

insert into role_bindings (user_id, role, create_time) select id, role, create_time from users;

alter table users drop column role;
-- Who signs in elsewhere has no password.
alter table users alter column password_hash drop not null;
alter table users add column disable_time timestamptz;

alter table sessions add column method text not null default 'password' check (method in ('password', 'oidc'));
alter table sessions alter column method drop default;
alter table sessions add column address text not null default '';
alter table sessions add column last_address text not null default '';
alter table sessions add column last_use_time timestamptz;
update sessions set last_use_time = create_time;
alter table sessions alter column last_use_time set not null;

-- One live code for each user; gone when used.
create table password_resets (
  user_id uuid primary key references users on delete cascade,
  sha256 bytea not null unique,
  create_time timestamptz not null,
  expire_time timestamptz not null
);
