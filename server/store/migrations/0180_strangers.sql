-- Strangers are counted whenever one boots, and nearly all boots of the last hour are none.
create index boot_sessions_of_strangers on boot_sessions (start_time) where machine_id is null;
