-- Who decided a boot, and when: so far only the journal knew.
alter table machines
  add column override_actor text not null default '',
  add column override_time timestamptz,
  add column entry_actor text not null default '',
  add column entry_time timestamptz;

with decided as (
  select id, update_time from machines where override_action is not null or entry_action is not null
), told as (
  select decided.id, persistent, actor, time from decided cross join (values (false), (true)) as either (persistent)
  cross join lateral (
    select actor, time from events
    where machine_id = decided.id and type = 'boot_override.set' and coalesce((data ->> 'persistent')::boolean, false) = persistent
    order by sequence desc limit 1
  ) as newest
)
update machines set
  override_actor = coalesce((select actor from told where told.id = machines.id and not persistent), ''),
  override_time = coalesce((select time from told where told.id = machines.id and not persistent), decided.update_time),
  entry_actor = coalesce((select actor from told where told.id = machines.id and persistent), ''),
  entry_time = coalesce((select time from told where told.id = machines.id and persistent), decided.update_time)
from decided where decided.id = machines.id;
update machines set override_actor = '', override_time = null where override_action is null;
update machines set entry_actor = '', entry_time = null where entry_action is null;

alter table machines
  add constraint machines_override_since check ((override_action is null) = (override_time is null)),
  add constraint machines_entry_since check ((entry_action is null) = (entry_time is null));
create index machines_by_override on machines (override_time desc, id desc) where override_action is not null;
create index machines_by_entry on machines (entry_time desc, id desc) where entry_action is not null;
