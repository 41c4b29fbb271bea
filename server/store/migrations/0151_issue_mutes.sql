-- An issue, those of a kind on a machine, or those of a kind on all machines: shown as muted, and counted nowhere.
create table issue_mutes (
  id uuid primary key,
  kind text not null,
  machine_id uuid references machines (id) on delete cascade,
  issue_id uuid references issues (id) on delete cascade,
  expire_time timestamptz not null,
  reason text not null,
  muted_by text not null,
  create_time timestamptz not null,
  check (issue_id is null or machine_id is not null),
  unique nulls not distinct (kind, machine_id, issue_id)
);
create index issue_mutes_by_expiry on issue_mutes (expire_time);
create index issue_mutes_of_machine on issue_mutes (machine_id) where machine_id is not null;
create index issue_mutes_of_issue on issue_mutes (issue_id) where issue_id is not null;
