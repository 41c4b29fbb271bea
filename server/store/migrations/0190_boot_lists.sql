-- Lists of boots over all machines, newest first: each a read of a few rows however many there are.
drop index boot_sessions_by_start;
create index boot_sessions_by_start on boot_sessions (start_time desc, id desc);
create index boot_sessions_by_state on boot_sessions (state, start_time desc, id desc);
create index boot_sessions_of_image on boot_sessions (image_id, state, start_time desc, id desc) where image_id is not null;
