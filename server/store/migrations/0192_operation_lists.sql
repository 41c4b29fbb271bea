-- Lists of builds, operations and tests, newest first and by state: each a read of a few rows however many there are.
create index operations_by_time on operations (create_time desc, id desc);
create index operations_by_state on operations (state, create_time desc, id desc);
create index operations_by_kind on operations (kind, state, create_time desc, id desc);

-- Their modules are long: a list by template does not read them.
alter table builds add column template_names text[] not null default '{}';
update builds set template_names = array(select jsonb_array_elements(templates) ->> 'name') where templates <> '[]';
create index builds_of_template on builds using gin (template_names);
create index builds_of_image on builds (image_id) where image_id is not null;

create index image_tests_by_time on image_tests (create_time desc, id desc);
create index image_tests_by_status on image_tests (status, create_time desc, id desc);
