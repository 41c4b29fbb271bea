import test from 'ava';
import {findPrivateKey} from './private-keys.ts';

// Put together here so that no scanner takes this file for a leak.
const pem = (kind: string) =>
  `-----BEGIN ${kind}PRIVATE KEY-----\nMIIEow==\n-----END ${kind}PRIVATE KEY-----\n`;

const refused: Readonly<Record<string, string>> = {
  'PKCS#8': pem(''),
  'encrypted PKCS#8': pem('ENCRYPTED '),
  RSA: pem('RSA '),
  OpenSSH: pem('OPENSSH '),
  'inside of JSON': JSON.stringify({key: pem('EC ')}),
  PGP: '-----BEGIN PGP PRIVATE KEY BLOCK-----\n',
  PuTTY: 'PuTTY-User-Key-File-3: ssh-ed25519\n',
  age: `AGE-SECRET-KEY-1${'Q'.repeat(58)}`,
  AWS: `[default]\naws_secret_access_key = ${'a'.repeat(40)}\n`,
  WireGuard: `[Interface]\nPrivateKey = ${'a'.repeat(42)}E=\n`,
  'NATS seed': `SU${'A'.repeat(56)}`,
  'private JWK': `{"kty":"OKP","crv":"Ed25519","x":"abc","d":"${'a'.repeat(43)}"}`,
  base64: Buffer.from(pem('RSA ').repeat(3)).toString('base64'),
};

for (const [name, text] of Object.entries(refused))
  test(`refused: ${name}`, t => t.not(findPrivateKey(text), undefined));

const accepted: Readonly<Record<string, string>> = {
  empty: '',
  certificate: '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n',
  'public key': '-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----\n',
  'SSH public key': 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB somebody',
  'age recipient': 'age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p',
  'WireGuard public key': `PublicKey = ${'a'.repeat(42)}E=\n`,
  'public JWK': '{"kty":"OKP","crv":"Ed25519","x":"abc"}',
  'long text': 'words without meaning '.repeat(1000),
};

for (const [name, text] of Object.entries(accepted))
  test(`accepted: ${name}`, t => t.is(findPrivateKey(text), undefined));
