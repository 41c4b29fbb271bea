-- A small site, for both databases. `{day}` is a day ago: metrics are kept for some days only.
insert into users (id, username, email, password_hash, role, active, created_at, updated_at) values
  ('u-1', 'admin', 'root@example.com', '$2a$10$HASH-OF-ADMIN', 'admin', true, '2024-01-01 08:00:00', '2024-01-01 08:00:00'),
  ('u-2', 'Olga', 'olga@example.com', '$2a$10$HASH-OF-OLGA', 'operator', true, '2024-01-02 08:00:00', '2024-01-02 08:00:00'),
  ('u-3', 'viktor', 'viktor@example.com', '$2a$10$HASH-OF-VIKTOR', 'viewer', false, '2024-01-03 08:00:00', '2024-01-03 08:00:00'),
  ('u-4', 'build bot', 'bot@example.com', '$2a$10$HASH-OF-BOT', 'operator', true, '2024-01-04 08:00:00', '2024-01-04 08:00:00'),
  ('u-5', 'root2', 'root2@example.com', '$2a$10$HASH-OF-ROOT2', 'superuser', true, '2024-01-05 08:00:00', '2024-01-05 08:00:00');
insert into api_keys (id, user_id, name, key, created_at) values
  ('k-1', 'u-2', 'ci', 'HASH-OF-KEY', '2024-01-02 09:00:00');

insert into machines (id, service_tag, mac_address, status, hostname, description, nixos_config, hardware, bmc_info, enrolled_at, updated_at) values
  ('6f2c8a10-0000-4000-8000-000000000001', 'J7K2M13', '24:6e:96:0a:00:01', 'provisioned', 'web1', 'Front', '{ services.nginx.enable = true; }',
    '{"manufacturer": "Dell Inc.", "model": "PowerEdge R740", "serial_number": "J7K2M13", "cpu": {"model": "Xeon Gold 6130", "sockets": 2, "cores": 16, "threads": 2}, "memory": {"total_bytes": 206158430208}, "disks": [{"device": "/dev/sda", "serial": "S4XNNF0M100001", "size_bytes": 480103981056}, {"device": "/dev/sdb", "serial": "Unknown", "size_bytes": 480103981056}], "nics": [{"name": "eno1", "mac_address": "24:6e:96:0a:00:01"}, {"name": "eno2", "mac_address": "24:6E:96:0A:00:02"}]}',
    '{"ip_address": "10.0.9.1", "username": "root", "password": "BMC-PASSWORD", "type": "IPMI", "enabled": true}', '2024-02-01 10:00:00', '2024-03-01 10:00:00'),
  -- Its tag has lost the spaces of its serial number.
  ('6f2c8a10-0000-4000-8000-000000000002', 'VMware-564d9f', '00:0c:29:7a:00:02', 'ready', 'web2', '', '', '{"serial_number": "VMware-56 4d 9f", "nics": []}', null, '2024-02-02 10:00:00', '2024-03-02 10:00:00'),
  -- Its tag is its MAC: firmware had none.
  ('6f2c8a10-0000-4000-8000-000000000003', '3CECEF0A0003', '3c:ec:ef:0a:00:03', 'enrolled', null, null, null, '{"serial_number": "To be filled by O.E.M."}', null, '2024-02-03 10:00:00', '2024-03-03 10:00:00'),
  -- The NIC of the first one, sold on.
  ('6f2c8a10-0000-4000-8000-000000000004', 'CZ1234AB', '24:6e:96:0a:00:02', 'failed', 'db1', 'Back', 'not a module {', 'null', null, '2024-02-04 10:00:00', '2024-03-04 10:00:00'),
  -- No MAC, and a host name that is none.
  ('6f2c8a10-0000-4000-8000-000000000005', 'CZ1234AC', 'unknown', 'configured', 'db_2; rm -rf /', '', '', '{}', null, '2024-02-05 10:00:00', '2024-03-05 10:00:00'),
  -- Nothing that tells it from others.
  ('6f2c8a10-0000-4000-8000-000000000006', 'Default', '00:00:00:00:00:00', 'unknown', 'nobody', '', '', '{"serial_number": "Default string"}', null, '2024-02-06 10:00:00', '2024-03-06 10:00:00'),
  -- Hardware of another shape.
  ('6f2c8a10-0000-4000-8000-000000000007', 'CZ1234AD', '94:57:a5:0a:00:07', 'enrolled', 'odd', '', '', '[1, 2, 3]', '"none"', '2024-02-07 10:00:00', '2024-03-07 10:00:00'),
  ('6f2c8a10-0000-4000-8000-000000000008', 'CZ1234AE', '94:57:a5:0a:00:08', 'enrolled', 'odd2', '', '', '{"cpu": "many", "memory": {"total_bytes": -1}, "disks": {"a": 1}, "nics": [null, {"mac_address": 7}, {"mac_address": "94:57:a5:0a:00:08"}]}', null, '2024-02-08 10:00:00', '2024-03-08 10:00:00');

insert into groups (id, name, description, tags, created_at, updated_at) values
  ('g-1', 'web-servers', 'Production web servers', '["production", "web"]', '2024-02-10 10:00:00', '2024-02-10 10:00:00'),
  ('g-2', 'Datenbanken / Büro', null, null, '2024-02-11 10:00:00', '2024-02-11 10:00:00'),
  ('g-3', '???', '', '{"not": "a list"}', '2024-02-12 10:00:00', '2024-02-12 10:00:00');
insert into group_memberships (group_id, machine_id, added_at) values
  ('g-1', '6f2c8a10-0000-4000-8000-000000000001', '2024-02-10 11:00:00'),
  ('g-1', '6f2c8a10-0000-4000-8000-000000000002', '2024-02-10 11:00:00'),
  ('g-2', '6f2c8a10-0000-4000-8000-000000000004', '2024-02-10 11:00:00'),
  ('g-2', '6f2c8a10-0000-4000-8000-000000000006', '2024-02-10 11:00:00');

insert into builds (id, machine_id, status, config, log_output, error, artifact_url, created_at, completed_at) values
  ('b-1', '6f2c8a10-0000-4000-8000-000000000001', 'failed', '{ }', 'error: attribute missing', 'exit 1', null, '2024-02-20 10:00:00', '2024-02-20 10:05:00'),
  ('b-2', '6f2c8a10-0000-4000-8000-000000000001', 'success', '{ }', 'done', null, '/images/J7K2M13', '2024-02-21 10:00:00', '2024-02-21 10:05:00'),
  ('b-3', '6f2c8a10-0000-4000-8000-000000000006', 'success', '{ }', null, null, null, '2024-02-22 10:00:00', null);
insert into machine_events (id, machine_id, event, data, created_at, created_by) values
  ('e-1', '6f2c8a10-0000-4000-8000-000000000001', 'enrolled', '{"service_tag": "J7K2M13"}', '2024-02-01 10:00:01.123456', null),
  ('e-2', '6f2c8a10-0000-4000-8000-000000000001', 'status_changed', '{"from": "ready", "to": "provisioned"}', '2024-03-01 10:00:01', 'u-2');
insert into power_operations (id, machine_id, operation, status, initiated_by, created_at) values
  ('p-1', '6f2c8a10-0000-4000-8000-000000000001', 'reset', 'success', 'u-2', '2024-02-25 10:00:00');
insert into image_tests (id, image_path, image_type, test_type, status, machine_id, created_at) values
  ('t-1', '/images/J7K2M13', 'custom', 'boot', 'passed', '6f2c8a10-0000-4000-8000-000000000001', '2024-02-21 11:00:00'),
  ('t-2', '/images/registration', 'registration', 'boot', 'passed', null, '2024-02-21 11:00:00');
insert into machine_metrics (id, machine_id, timestamp, cpu_usage_percent, memory_used_bytes, memory_total_bytes, disk_used_bytes, disk_total_bytes, network_rx_bytes, network_tx_bytes, load_average_1, load_average_5, load_average_15, temperature, power_state, uptime) values
  ('s-1', '6f2c8a10-0000-4000-8000-000000000001', '{day} 10:00:00', 12.5, 8589934592, 17179869184, 1, 2, 3, 4, 0.5, 0.25, 0.125, 45.5, 'on', 86400),
  ('s-2', '6f2c8a10-0000-4000-8000-000000000001', '{day} 10:01:00', 900, -1, 9223372036854775807, 1, 2, 3, 4, 0.5, 0.25, 0.125, null, 'on', 86460),
  ('s-3', '6f2c8a10-0000-4000-8000-000000000001', '2024-02-21 10:00:00', 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 'on', 1);
insert into webhooks (id, name, url, events, secret, created_at, updated_at) values
  ('w-1', 'chat', 'http://chat.example.com/hook', '["machine.enrolled"]', 'WEBHOOK-SECRET', '2024-02-01 10:00:00', '2024-02-01 10:00:00');
insert into machine_templates (id, name, nixos_config, created_at, updated_at, created_by) values
  ('x-1', 'base', '{ }', '2024-02-01 10:00:00', '2024-02-01 10:00:00', 'u-1');
