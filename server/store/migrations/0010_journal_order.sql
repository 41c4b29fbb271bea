-- Ids of one millisecond are not in order: the relay reads in the order in which the rows were written.
alter table events add column sequence bigint generated always as identity;
drop index events_waiting;
create index events_waiting on events (sequence) where position is null;
