-- Identifiers that are never let in.
create table bans (
  id uuid primary key,
  kind text not null check (kind in ('mac', 'uuid', 'serial')),
  -- In the one form that identifiers have (domain/identifiers.ts).
  value text not null,
  reason text not null,
  actor text not null,
  create_time timestamptz not null,
  unique (kind, value)
);

alter table machines
  -- Why one of its identifiers is banned; empty when none is.
  add column ban_reason text not null default '',
  -- The record that took this one in and answers for it.
  add column merged_into uuid references machines (id) on delete cascade;
create index machines_merged on machines (merged_into) where merged_into is not null;

drop trigger machines_boot_change on machines;
create trigger machines_boot_change before update on machines for each row
when (
  (old.state, old.quarantine_reason, old.service_tag, old.uuid, old.mac_address, old.mac_addresses, old.desired_image_id,
   old.last_good_image_id, old.bad_image_ids, old.override_action, old.override_image_id, old.override_expire_time,
   old.entry_action, old.entry_image_id, old.ban_reason)
  is distinct from
  (new.state, new.quarantine_reason, new.service_tag, new.uuid, new.mac_address, new.mac_addresses, new.desired_image_id,
   new.last_good_image_id, new.bad_image_ids, new.override_action, new.override_image_id, new.override_expire_time,
   new.entry_action, new.entry_image_id, new.ban_reason)
)
execute function machines_note_boot_change();
