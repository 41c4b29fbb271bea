-- An inventory writes what its machine is searched by before it changes the machine: the text is as it will be, and both GIN indexes change once.
create or replace function machines_note_search() returns trigger language plpgsql as $$
begin
  if tg_op = 'INSERT' then
    insert into machine_search (machine_id, text) values (new.id, machine_search_text(new, '')) on conflict do nothing;
  else
    update machine_search as search set text = fresh.text from (
      select machine_search_text(new, hardware_text) as text from machine_search where machine_id = new.id offset 0
    ) as fresh
    where search.machine_id = new.id and search.text is distinct from fresh.text;
  end if;
  return null;
end
$$;
