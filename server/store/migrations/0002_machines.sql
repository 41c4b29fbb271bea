create table machines (
  id uuid primary key,
  state text not null check (state in (
    'expected', 'discovered', 'pending', 'enrolled', 'provisioning', 'ready', 'active',
    'maintenance', 'retiring', 'retired', 'rejected', 'failed'
  )),
  state_reason text not null default '',
  state_time timestamptz not null,
  -- How far the claim to be this machine is proven; each level includes the ones before it.
  trust text not null default 'seen' check (trust in ('seen', 'token', 'approved')),
  -- Why it is quarantined; empty when it is not.
  quarantine_reason text not null default '',

  -- As reported, for people; what counts for identity is in machine_evidence.
  service_tag text not null default '',
  uuid text not null default '',
  manufacturer text not null default '',
  product text not null default '',
  mac_address text not null default '',
  mac_addresses text[] not null default '{}',

  hostname text not null default '',
  description text not null default '',
  nixos_config text not null default '',
  image_config jsonb,

  desired_image_id text,
  booted_image_id text,
  last_good_image_id text,
  -- Images that failed two trials on this machine.
  bad_image_ids text[] not null default '{}',
  -- Of the desired image, since it became the desired one.
  failed_trials integer not null default 0,

  -- One-shot: decides the next boot only.
  override_action text check (override_action in ('registration', 'image', 'local_disk', 'retry')),
  override_image_id text,
  override_expire_time timestamptz,
  -- The boot session that was given the override.
  override_session text,
  -- Persistent boot entry.
  entry_action text check (entry_action in ('registration', 'image', 'local_disk', 'retry')),
  entry_image_id text,

  cpu_threads integer not null default 0,
  cpu_model text not null default '',
  memory_bytes bigint not null default 0,
  disk_count integer not null default 0,
  disk_bytes bigint not null default 0,
  firmware_mode text not null default '',
  clock_skew_ms bigint,

  create_time timestamptz not null,
  update_time timestamptz not null,
  -- The transaction that last changed what its boot answer is made of: a reader that has seen all transactions below X asks for
  -- rows at or above X (pg_snapshot_xmin), whatever the order of commits.
  boot_xid xid8 not null default pg_current_xact_id()
);

create index machines_by_creation on machines (create_time, id);
create index machines_by_state on machines (state, create_time, id);
create index machines_by_service_tag on machines (lower(service_tag)) where service_tag <> '';
create index machines_by_uuid on machines (lower(uuid)) where uuid <> '';
create index machines_by_mac on machines using gin (mac_addresses);
create index machines_by_boot_xid on machines (boot_xid);


create function machines_note_boot_change() returns trigger language plpgsql as $$
begin
  new.boot_xid := pg_current_xact_id();
  return new;
end
$$;

create trigger machines_boot_change before update on machines for each row
when (
  (old.state, old.quarantine_reason, old.service_tag, old.uuid, old.mac_address, old.mac_addresses, old.desired_image_id,
   old.last_good_image_id, old.bad_image_ids, old.override_action, old.override_image_id, old.override_expire_time,
   old.entry_action, old.entry_image_id)
  is distinct from
  (new.state, new.quarantine_reason, new.service_tag, new.uuid, new.mac_address, new.mac_addresses, new.desired_image_id,
   new.last_good_image_id, new.bad_image_ids, new.override_action, new.override_image_id, new.override_expire_time,
   new.entry_action, new.entry_image_id)
)
execute function machines_note_boot_change();

-- Beside the machine, because every report writes it: in batches, and without touching the machine's row.
create table machine_presence (
  machine_id uuid primary key references machines (id) on delete cascade,
  last_seen_time timestamptz not null
);
