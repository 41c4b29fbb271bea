import {create, type MessageInitShape} from '@bufbuild/protobuf';
import test from 'ava';
import fc from 'fast-check';
import {ImageConfigSchema} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {mergedPath, parseMachineConfig} from './machine-config.ts';
import {machineTree} from './machine-layer.ts';

const parse = (config: MessageInitShape<typeof ImageConfigSchema>) =>
  parseMachineConfig(create(ImageConfigSchema, config));

test('a configuration is brought into one form', t => {
  const config = parse({
    hostName: 'web-1',
    packages: ['vim', 'curl', 'vim'],
    files: [
      {path: '/lib/systemd/system/x.service', content: 'x'},
      {path: '/etc/motd', content: 'hi', mode: '0600'},
    ],
  });
  t.deepEqual(config.packages, ['curl', 'vim']);
  t.deepEqual(config.files, [
    {path: '/etc/motd', content: 'hi', mode: 0o600},
    {path: '/usr/lib/systemd/system/x.service', content: 'x', mode: 0o644},
  ]);
});

const refused: Readonly<Record<string, [MessageInitShape<typeof ImageConfigSchema>, RegExp]>> = {
  'a private key': [
    {files: [{path: '/etc/k', content: '-----BEGIN RSA PRIVATE KEY-----'}]},
    /file "\/etc\/k" looks like it holds a PEM private key/,
  ],
  'a path that climbs': [{files: [{path: '/etc/../root/x'}]}, /must be absolute and plain/],
  'a relative path': [{files: [{path: 'etc/x'}]}, /must be absolute and plain/],
  'a folder that is empty at boot': [
    {files: [{path: '/var/run/x'}]},
    /"\/run" is empty at each boot/,
  ],
  'our own files': [{files: [{path: '/etc/muster/image.json'}]}, /it belongs to Muster/],
  'the same file twice': [
    {files: [{path: '/bin/x'}, {path: '/usr/bin/x'}]},
    /"\/usr\/bin\/x" is given twice/,
  ],
  'a file inside of a file': [
    {files: [{path: '/etc/x'}, {path: '/etc/x/y'}]},
    /"\/etc\/x\/y" lies inside the file "\/etc\/x"/,
  ],
  'reserved kernel arguments': [{kernelArguments: ['init=/bin/sh']}, /"init=…" is set by Muster/],
};

for (const [name, [config, message]] of Object.entries(refused))
  test(`refused: ${name}`, t => {
    t.throws(() => parse(config), {message});
  });

test('all problems are told at once', t => {
  const error = t.throws(() =>
    parse({files: [{path: 'x'}, {path: '/proc/y'}], kernelArguments: ['root=/dev/sda']}),
  );
  t.is(error?.message.split('; ').length, 3);
});

test('no path reaches the links of a merged /usr', t => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('bin', 'lib', 'sbin', 'usr', 'etc', 'x'), {minLength: 2}),
      parts => {
        const merged = mergedPath(`/${parts.join('/')}`);
        t.notRegex(merged, /^\/(bin|sbin|lib|lib64)\//);
        t.is(mergedPath(merged), merged);
      },
    ),
  );
});

test('folders of a machine layer keep the modes that the base gave them', t => {
  const config = parse({
    hostName: 'web-1',
    sshAuthorizedKeys: ['ssh-ed25519 AAAA me'],
    files: [{path: '/opt/a/b', content: ''}],
  });
  const tree = machineTree(config, 'key');
  t.deepEqual(tree.get('root'), {type: 'directory', mode: 0o700});
  t.deepEqual(tree.get('root/.ssh'), {type: 'directory', mode: 0o700});
  t.deepEqual(tree.get('opt/a'), {type: 'directory', mode: 0o755});
  t.like(tree.get('root/.ssh/authorized_keys'), {mode: 0o600});
  t.like(tree.get('etc/muster/image.json'), {
    content: Buffer.from('{"input_key":"key","kind":"machine","backend":"debian"}\n'),
  });
});
