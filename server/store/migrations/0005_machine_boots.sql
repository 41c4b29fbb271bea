alter table machines
  -- Somebody registered it before it was seen: the policy "expected-only" takes it.
  add column expected boolean not null default false,
  -- What the last hello said: the kernel's boot id, the agent, and that the image was a registration image.
  add column boot_id text not null default '',
  add column agent_version text not null default '',
  add column in_registration boolean not null default false;

create index machines_to_reboot on machines (state_time) where state = 'ready' and in_registration;
create index machines_with_override on machines (override_expire_time) where override_expire_time is not null;
