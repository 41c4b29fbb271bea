-- Trusted since PostgreSQL 13: whoever owns the database may create it.
create extension if not exists pg_trgm;

alter table machines
  -- What people call it by: {"rack": "r7"}.
  add column labels jsonb not null default '{}',
  add column notes text not null default '';
create index machines_by_label on machines using gin (labels jsonb_path_ops);
create index machines_by_hostname on machines (lower(hostname), id);
create index machines_by_product on machines (lower(product), create_time, id);
create index machines_by_memory on machines (memory_bytes, id);

-- What a machine is searched by. Beside the machine, so that a change of state leaves these indexes alone.
create table machine_search (
  machine_id uuid primary key references machines (id) on delete cascade,
  -- Everything that people type to find it, in lower case.
  text text not null,
  -- Of the last inventory: its serials, models, addresses; and the whole of it, with texts in lower case.
  hardware_text text not null default '',
  facts jsonb not null default '{}',
  -- Of the code that made them; 0: none yet.
  facts_version integer not null default 0
);

create function machine_search_text(machine machines, hardware_text text) returns text
language sql stable as $$
  select lower(regexp_replace(concat_ws(' ',
    machine.hostname, machine.service_tag, machine.uuid, machine.mac_address, array_to_string(machine.mac_addresses, ' '),
    machine.manufacturer, machine.product, machine.cpu_model,
    (select string_agg(value, ' ') from jsonb_each_text(machine.labels)),
    machine.description, machine.notes, hardware_text
  ), '\s+', ' ', 'g'))
$$;

insert into machine_search (machine_id, text) select id, machine_search_text(machines, '') from machines;
create index machine_search_by_text on machine_search using gin (text gin_trgm_ops);
create index machine_search_by_facts on machine_search using gin (facts jsonb_path_ops);

-- Machines with words that are like this one: two letters exchanged in a name of nine still are. The setting belongs to the function, because
-- the operator that the index knows takes no argument for it.
create function machines_similar_to(word text) returns setof uuid
language sql stable rows 100 set pg_trgm.word_similarity_threshold = 0.4 as $$
  select machine_id from machine_search where word <% text
$$;

create function machines_note_search() returns trigger language plpgsql as $$
begin
  insert into machine_search (machine_id, text) values (new.id, machine_search_text(new, ''))
  on conflict (machine_id) do update set text = machine_search_text(new, machine_search.hardware_text);
  return null;
end
$$;

create trigger machines_search_insert after insert on machines for each row execute function machines_note_search();
create trigger machines_search_change after update on machines for each row
when (
  (old.hostname, old.service_tag, old.uuid, old.mac_address, old.mac_addresses, old.manufacturer, old.product, old.cpu_model,
   old.labels, old.description, old.notes)
  is distinct from
  (new.hostname, new.service_tag, new.uuid, new.mac_address, new.mac_addresses, new.manufacturer, new.product, new.cpu_model,
   new.labels, new.description, new.notes)
)
execute function machines_note_search();
