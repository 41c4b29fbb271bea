import test from 'ava';
import {findPrivateKey, locatePrivateKey} from './private-keys.ts';

const seen: Readonly<Record<string, string>> = {
  'a PEM private key': 'k = "-----BEGIN RSA PRIVATE KEY-----',
  'a PuTTY private key': 'PuTTY-User-Key-File-3: ssh-ed25519',
  'an age private key': `AGE-SECRET-KEY-1${'Q'.repeat(58)}`,
  'an AWS secret access key': `aws_secret_access_key = ${'a'.repeat(40)}`,
  'a WireGuard private key': `privateKey = "${'a'.repeat(42)}A=";`,
  'a GitHub token': `ghp_${'a'.repeat(36)}`,
  'a Slack token': `xoxb-${'1'.repeat(24)}`,
  'a NATS seed': `SU${'A'.repeat(56)}`,
};
for (const [what, text] of Object.entries(seen))
  test(`sees ${what}`, t => {
    t.is(findPrivateKey(`x\n${text}\n`), what);
  });

test('sees nothing in what people write', t => {
  const harmless = [
    'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExample alice@example',
    'services.openssh.settings.PasswordAuthentication = false; privateKeyFile = "/run/keys/wg";',
    '-----BEGIN CERTIFICATE-----',
    'networking.wireguard.interfaces.wg0.privateKey = config.x;',
  ];
  for (const text of harmless) t.is(findPrivateKey(text), undefined, text);
});

test('the first one is located, and no text takes long', t => {
  t.deepEqual(locatePrivateKey('1\n xoxb-000000000000000000000000 -----BEGIN PRIVATE KEY-----'), {
    what: 'a Slack token',
    offset: 3,
  });
  const length = 1_000_000;
  for (const part of [
    ' ',
    'PrivateKey = ',
    '-----BEGIN ',
    '-----BEGIN A',
    'A',
    'aws_secret_access_key ',
    'gh',
    "''",
  ]) {
    const started = performance.now();
    locatePrivateKey(`PrivateKey=${part.repeat(length / part.length)}`);
    const tookMs = performance.now() - started;
    t.true(tookMs < 3000, `${JSON.stringify(part)} took ${tookMs} ms`);
  }
});
