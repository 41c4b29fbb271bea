-- Tenants or environments. What a machine's workspace is stands on the machine (0091).
create table workspaces (
  id uuid primary key,
  name text not null unique check (name ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'),
  description text not null,
  -- 0: no limit.
  machines_max integer not null check (machines_max >= 0),
  create_time timestamptz not null,
  update_time timestamptz not null
);

-- No version had a way to make a binding in a workspace, or a token for one.
delete from role_bindings where workspace_id is not null;
alter table role_bindings add foreign key (workspace_id) references workspaces (id) on delete cascade;
create index role_bindings_of_workspace on role_bindings (workspace_id) where workspace_id is not null;
update api_tokens set workspace_id = null where workspace_id is not null;
alter table api_tokens add foreign key (workspace_id) references workspaces (id) on delete cascade;
create index api_tokens_of_workspace on api_tokens (workspace_id) where workspace_id is not null;
