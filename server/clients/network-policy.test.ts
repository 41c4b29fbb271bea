import test from 'ava';
import {createNetworkPolicy, parseNetwork} from './network-policy.ts';

const policy = createNetworkPolicy({allowed: [], denied: []});

const closed = [
  '0.0.0.0',
  '0.1.2.3',
  '127.0.0.1',
  '127.255.255.254',
  '169.254.169.254',
  '169.254.0.1',
  '100.100.100.200',
  '168.63.129.16',
  '198.18.0.1',
  '224.0.0.1',
  '239.255.255.255',
  '240.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '0:0:0:0:0:0:0:1',
  '::127.0.0.1',
  '::ffff:127.0.0.1',
  '::ffff:7f00:1',
  '0000:0000:0000:0000:0000:ffff:7f00:0001',
  '::ffff:169.254.169.254',
  '::ffff:a9fe:a9fe',
  '::ffff:0.0.0.0',
  '::ffff:0:127.0.0.1',
  '64:ff9b::a9fe:a9fe',
  '64:ff9b:1::a9fe:a9fe',
  '2001:0:4136:e378:8000:63bf:3fff:fdd2',
  '2002:7f00:1::',
  'fd00:ec2::254',
  'FD00:0EC2:0:0:0:0:0:0254',
  'fd20:ce::254',
  'fe80::1',
  'fe80::1%eth0',
  'febf::1',
  'fec0::1',
  'ff02::1',
  'localhost',
  '127.1',
  '2130706433',
  '0x7f000001',
  '',
];
for (const address of closed)
  test(`no request goes to "${address}"`, t => {
    t.truthy(policy.refusal(address));
  });

const open = [
  '10.0.0.5',
  '172.16.0.1',
  '192.168.1.10',
  '93.184.216.34',
  '::ffff:10.0.0.5',
  '2606:2800:220:1::1',
  'fd12:3456::1',
];
for (const address of open)
  test(`a receiver may be at "${address}"`, t => {
    t.is(policy.refusal(address), undefined);
  });

test('allowed networks open what is closed, and denied ones close what is open, whatever else says', t => {
  const own = createNetworkPolicy({
    allowed: ['127.0.0.1', '::1/128', '169.254.0.0/16'],
    denied: ['10.20.0.0/16', '169.254.169.254', 'fd00::/8'],
  });
  t.is(own.refusal('127.0.0.1'), undefined);
  t.is(own.refusal('::ffff:127.0.0.1'), undefined);
  t.is(own.refusal('::1'), undefined);
  t.truthy(own.refusal('127.0.0.2'));
  t.is(own.refusal('169.254.7.7'), undefined);
  t.regex(own.refusal('169.254.169.254') ?? '', /WEBHOOK_DENIED_NETWORKS/);
  t.truthy(own.refusal('10.20.30.40'));
  t.truthy(own.refusal('::ffff:10.20.30.40'));
  t.is(own.refusal('10.21.0.1'), undefined);
  t.truthy(own.refusal('fd00::7'));
});

for (const text of ['10.0.0.0/33', '::/129', 'example.org', '10.0.0.0/8/8', '10.0.0.0/', '/8', ''])
  test(`"${text}" is no network`, t => {
    t.throws(() => parseNetwork(text), {message: /is no network/});
  });
