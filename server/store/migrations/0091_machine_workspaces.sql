-- A fact beside the state. What happened before `workspace_time` is not the workspace's to see.
alter table machines
  add column workspace_id uuid references workspaces (id),
  add column workspace_time timestamptz,
  add constraint machines_workspace_since check ((workspace_id is null) = (workspace_time is null));
create index machines_by_workspace on machines (workspace_id, create_time, id) where workspace_id is not null;
