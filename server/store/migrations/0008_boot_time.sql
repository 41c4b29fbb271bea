-- When the last boot said hello first: a machine that comes back into the registration image may be told to reboot again.
alter table machines add column boot_time timestamptz;
