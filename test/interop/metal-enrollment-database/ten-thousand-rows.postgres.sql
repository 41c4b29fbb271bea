-- 10,000 rows beside the small site: 2,500 machines, of which every hundredth has the MAC of the one before, with a build and two events each.
insert into machines (id, service_tag, mac_address, status, hostname, description, nixos_config, hardware, enrolled_at, updated_at)
select
  'n-' || n, 'FLEET' || to_char(n, 'FM00000') || 'X',
  '94:57:a6:' || regexp_replace(lpad(to_hex(case when n % 100 = 0 then n - 1 else n end), 6, '0'), '(..)(..)(..)', '\1:\2:\3'),
  'ready', 'node' || n, 'Row ' || n / 40, '{ networking.hostName = "node' || n || '"; }',
  jsonb_build_object('manufacturer', 'HPE', 'model', 'DL360', 'serial_number', 'FLEET' || to_char(n, 'FM00000') || 'X'),
  timestamp '2024-05-01' + n * interval '1 second', timestamp '2024-05-02'
from generate_series(1, 2500) as n;
insert into builds (id, machine_id, status, config, created_at)
select 'nb-' || n, 'n-' || n, 'success', '{ }', timestamp '2024-05-03' + n * interval '1 second' from generate_series(1, 2500) as n;
insert into machine_events (id, machine_id, event, data, created_at)
select 'ne-' || n, 'n-' || (n % 2500 + 1), 'status_changed', jsonb_build_object('to', 'ready'), timestamp '2024-05-04' + n * interval '1 second' from generate_series(1, 5000) as n;
insert into groups (id, name, created_at, updated_at) values ('g-fleet', 'fleet', '2024-05-01', '2024-05-01');
insert into group_memberships (group_id, machine_id, added_at) select 'g-fleet', 'n-' || n, '2024-05-01' from generate_series(1, 2500) as n;
