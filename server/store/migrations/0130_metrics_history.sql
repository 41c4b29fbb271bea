-- What each device of a machine measured, as JSON {"kind/field/name": number}; null when the sample says nothing of devices.
alter table metrics add column devices text;

-- Updated by every batch: an index on it made every update write all indexes. There are few thousand rows.
drop index metrics_sessions_by_time;
-- Hours since 1970 in which samples of this session were stored that are in no roll-up yet. In the row that storing locks anyway, so that a
-- roll-up either sees a sample or comes again for it.
alter table metrics_sessions add column open_hours jsonb not null default '[]';
insert into metrics_sessions (machine_id, session, open_hours, update_time)
select machine_id, 'before roll-ups', jsonb_agg(distinct floor(extract(epoch from time) / 3600)::int), now()
from metrics group by machine_id
on conflict do nothing;

-- The samples of one machine and hour, packed (server/domain/metrics-chunks.ts). Kept when the rows of that day are dropped. By day.
create table metrics_chunks (
  machine_id uuid not null,
  hour timestamptz not null,
  sample_count integer not null,
  data bytea storage external not null,
  primary key (machine_id, hour)
) partition by range (hour);

-- Its 60 aggregates of a minute, packed. By day.
create table metrics_minutes (
  machine_id uuid not null,
  hour timestamptz not null,
  sample_count integer not null,
  data bytea storage external not null,
  primary key (machine_id, hour)
) partition by range (hour);

-- The aggregate of the hour, packed.
create table metrics_hours (
  machine_id uuid not null,
  hour timestamptz not null,
  sample_count integer not null,
  data bytea storage external not null,
  primary key (machine_id, hour)
);
create index metrics_hours_by_time on metrics_hours using brin (hour);
