import test from 'ava';
import {describeDsn, parseDsn, withoutPassword} from './dsn.ts';

const full = {
  kind: 'postgres',
  host: 'db.example.com',
  port: 5433,
  username: 'metal',
  password: "it's a/secret@home",
  database: 'enrollment',
  sslMode: 'require',
} as const;

test('PostgreSQL is named by a URL or by the words of libpq', t => {
  const password = encodeURIComponent(full.password);
  for (const text of [
    `postgres://metal:${password}@db.example.com:5433/enrollment?sslmode=require`,
    `  postgresql://metal:${password}@db.example.com:5433/enrollment?sslmode=require\n`,
    String.raw`host=db.example.com port=5433 user=metal password='it\'s a/secret@home' dbname=enrollment sslmode=require`,
    String.raw`host = db.example.com port = 5433 user = metal password = it\'s\ a/secret@home dbname = enrollment sslmode = require`,
  ])
    t.deepEqual(parseDsn(text), full, text);
  t.like(parseDsn('postgres://metal@/metal?host=/run/postgresql'), {host: '/run/postgresql'});
  t.like(parseDsn('user=metal'), {
    host: 'localhost',
    port: 5432,
    database: 'metal',
    password: '',
    sslMode: 'prefer',
  });
});

test('SQLite is named by a path or a URL of its driver', t => {
  for (const text of [
    '/data/metal.db',
    'file:/data/metal.db?cache=shared&mode=rwc',
    'file:///data/metal.db',
    'sqlite:///data/metal.db',
    'sqlite3:/data/metal.db',
  ])
    t.deepEqual(parseDsn(text), {kind: 'sqlite', path: '/data/metal.db'}, text);
  t.deepEqual(parseDsn('metal enrollment.db'), {kind: 'sqlite', path: 'metal enrollment.db'});
});

test('what cannot be read is refused without being repeated', t => {
  for (const text of [
    '',
    'mysql://metal:hunter2@db/metal',
    'postgres://metal:hunter2@db:port/metal',
    'postgres://metal:hunter%2@db/metal',
    'postgres://:hunter2@db/metal',
    'postgres://metal:hunter2@db/metal?sslmode=maybe',
    "host=db user=metal password='hunter2",
    'host=db user=metal password=hunter2 and more',
    'host=db user=metal password=hunter2 port=0',
    ':memory:',
  ]) {
    const {message} = t.throws(() => parseDsn(text), {message: /^Cannot read the DSN: /});
    t.false(message.includes('hunter'), message);
  }
});

test('people are told where it is, never the password', t => {
  t.is(describeDsn(full), 'PostgreSQL database "enrollment" at db.example.com:5433 as "metal"');
  t.is(describeDsn({kind: 'sqlite', path: 'a.db'}), 'SQLite file "a.db"');
  const sentence = `cannot parse ${full.password} or ${encodeURIComponent(full.password)}`;
  t.is(withoutPassword(full, sentence), 'cannot parse *** or ***');
  t.is(withoutPassword({...full, password: ''}, 'as it is'), 'as it is');
});
