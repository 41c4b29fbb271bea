import test from 'ava';
import {isSecretName, maskText, maskValue} from './masking.ts';

test('names that are secrets by nature, in snake and camel case', t => {
  for (const name of [
    'password',
    'bmc_password',
    'passwordHash',
    'refresh_token',
    'accessToken',
    'private_key',
    'natsJwt',
    'client_secret',
    'api-key',
    'tokens',
  ])
    t.true(isSecretName(name), name);
  for (const name of [
    'page_token',
    'next_page_token',
    'nextPageToken',
    'token_id',
    'public_key',
    'username',
    'passed',
    'input_key',
    'token_expire_time',
  ])
    t.false(isSecretName(name), name);
});

test('values are masked at any depth; what was not given shows that it was not', t => {
  const value = {
    user: {passwordHash: '$argon2id$v=19$abc', name: 'bob', password: ''},
    login: {cookie: true},
    list: [{token: 'x'}, {token: undefined}],
    files: [{path: '/a', content: 'anything'}],
    when: new Date(0),
    bytes: new Uint8Array(3),
  };
  t.deepEqual(maskValue(value), {
    user: {passwordHash: '[secret]', name: 'bob', password: ''},
    login: {cookie: true},
    list: [{token: '[secret]'}, {}],
    files: [{path: '/a', content: '[8 characters]'}],
    when: '1970-01-01T00:00:00.000Z',
    bytes: '[3 bytes]',
  });
});

test('free text loses what looks like a secret', t => {
  const text = [
    'url = postgres://muster:hunter2@db/x',
    'users.root.hashedPassword = "$6$salt$hash"; services.x.enable = true;',
    'wifi: {psk: hunter2}',
    '-----BEGIN OPENSSH PRIVATE KEY-----\nhunter2\n-----END OPENSSH PRIVATE KEY-----',
    'password="hunter2 and more"',
    'Cookie: muster-session=muster_session_hunter2hunter2hunter2; x',
    'see http://x/setup#muster_setup_hunter2hunter2hunter2 there',
  ].join('\n');
  const clean = maskText(text);
  t.notRegex(clean, /hunter2|salt/);
  t.regex(clean, /services\.x\.enable = true/);
  t.regex(clean, /muster:\[secret\]@db/);
});

test('long lists and texts are cut', t => {
  t.is((maskValue(Array.from({length: 1000}, (_, index) => index)) as unknown[]).length, 101);
  t.true(maskText('a'.repeat(1_000_000)).length < 600);
});
