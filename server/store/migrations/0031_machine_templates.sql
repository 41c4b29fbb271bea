-- [{"name", "version", "parameters"}]; version 0 follows the newest.
alter table machines add column templates jsonb not null default '[]';
create index machines_by_template on machines using gin (templates jsonb_path_ops);
