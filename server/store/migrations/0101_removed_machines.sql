-- Machines that are gone, for those who know them from before: an edge that was away must not go on answering for them.
create table removed_machines (
  id uuid primary key,
  -- As machines.boot_xid: the transaction that removed it.
  boot_xid xid8 not null default pg_current_xact_id(),
  time timestamptz not null default now()
);
create index removed_machines_by_xid on removed_machines (boot_xid);

create function machines_note_removal() returns trigger language plpgsql as $$
begin
  insert into removed_machines (id) values (old.id) on conflict do nothing;
  return old;
end $$;
create trigger machines_removed after delete on machines for each row execute function machines_note_removal();
