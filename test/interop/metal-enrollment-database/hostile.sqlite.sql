-- What only SQLite keeps: JSON that is none, bytes that are no text, times of Go, ids that are none.
insert into machines (id, service_tag, mac_address, status, hostname, description, hardware, enrolled_at, updated_at) values
  ('6f2c8a10-0000-4000-8000-000000000101', 'CZ1234AF', '94:57:a5:0a:01:01', 'enrolled', 'broken', '', '{"manufacturer": "HPE", ', '2024-02-09 10:00:00.123456789+02:00', '2024-02-09 10:00:00+02:00'),
  -- As its driver writes JSON: a blob.
  ('6f2c8a10-0000-4000-8000-000000000102', 'CZ1234AG', '94:57:a5:0a:01:02', 'enrolled', 'blob', '', cast('{"manufacturer": "HPE", "model": "DL360"}' as blob), '2024-02-09 11:00:00 +0000 UTC m=+0.01', '2024-02-09 11:00:00'),
  ('6f2c8a10-0000-4000-8000-000000000103', 'CZ1234AH', '94:57:a5:0a:01:03', 'enrolled', 'latin', cast(x'42fc726f' as text), null, 'yesterday', 'today'),
  ('no key', 'CZ1234AI', '94:57:a5:0a:01:04', 'enrolled', 'keyless', '', null, '2024-02-09 12:00:00', '2024-02-09 12:00:00');
insert into builds (id, machine_id, status, config, created_at) values
  ('b-9', '6f2c8a10-0000-4000-8000-000000000101', 'pending', '', 'yesterday');
