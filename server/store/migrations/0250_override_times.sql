-- A server from before 0191 may still run on this schema: it sets and clears decisions about boots and knows nothing of their times, so each of
-- its changes broke the checks, the hello of a machine that had used its override up among them. Servers of today name both, and never get here.
create function machines_date_decisions() returns trigger language plpgsql as $$
begin
  if new.override_action is null then
    new.override_actor := '';
    new.override_time := null;
  else
    new.override_time := coalesce(new.override_time, now());
  end if;
  if new.entry_action is null then
    new.entry_actor := '';
    new.entry_time := null;
  else
    new.entry_time := coalesce(new.entry_time, now());
  end if;
  return new;
end
$$;

create trigger machines_dated_decisions before insert or update on machines for each row
when (
  (new.override_action is null) <> (new.override_time is null) or (new.entry_action is null) <> (new.entry_time is null)
)
execute function machines_date_decisions();
