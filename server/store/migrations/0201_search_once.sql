-- An inventory writes what its machine is searched by before it changes the machine: the text is as it will be, and both GIN indexes change once.
create or replace function machines_note_search() returns trigger language plpgsql as $$
begin
  insert into machine_search (machine_id, text) values (new.id, machine_search_text(new, ''))
  on conflict (machine_id) do update set text = machine_search_text(new, machine_search.hardware_text)
  where machine_search.text is distinct from machine_search_text(new, machine_search.hardware_text);
  return null;
end
$$;
