import {BootAction, BootDecisionSchema} from '@muster/proto/gen/muster/v1/boot_pb.ts';
import {ImageSchema} from '@muster/proto/gen/muster/v1/images_pb.ts';
import {create} from '@bufbuild/protobuf';
import {bootstrapScript, renderScript} from '@muster/ipxe/script.ts';
import test from 'ava';
import {IpxeError, type IpxeHost, runIpxe} from './ipxe-script.ts';

const sha256 = 'a'.repeat(64);
const image = create(ImageSchema, {
  id: 'b'.repeat(64),
  kernel: {name: 'vmlinuz', sha256, sizeBytes: 4n},
  initrds: [{name: 'initrd.zst', sha256, sizeBytes: 4n}],
  commandLine: 'panic=30',
});
const images = {
  find: () => image,
  registrationFull: undefined,
  registrationVirtual: undefined,
};
const settings = () =>
  new Map([
    ['netX/mac', '52:54:00:aa:00:01'],
    ['net0/mac', '52:54:00:aa:00:01'],
    ['serial', 'A&B/1'],
    ['uuid', '4c4c4544-0058-4b10-8032-b7c04f4d5132'],
  ]);

/** Keeps what is asked for; `scripts` are given in turn, and then none. */
function record(scripts: readonly (string | IpxeError)[]) {
  const asked: string[] = [];
  const left = [...scripts];
  const host: IpxeHost = {
    async fetchScript(path) {
      asked.push(path);
      if (path.startsWith('/boot/report')) return '#!ipxe\n';
      const next = left.shift();
      if (next === undefined) throw new Error('No further script');
      if (typeof next !== 'string') throw next;
      return next;
    },
    async fetchImage(path) {
      asked.push(path);
      if (path.includes('vmlinuz') && left[0] instanceof IpxeError) throw left.shift();
    },
    async sleep(seconds) {
      asked.push(`sleep ${seconds}`);
    },
  };
  return {asked, host};
}

const decide = (action: BootAction) =>
  renderScript(create(BootDecisionSchema, {action, imageId: image.id, reason: 'a test'}), images);

test('the bootstrap asks with the keys of the machine, then kernel, initrd and token are fetched', async t => {
  const {asked, host} = record([decide(BootAction.IMAGE)]);
  t.is(await runIpxe(bootstrapScript, settings(), host), 'boot');
  const [script = '', ...files] = asked;
  const query = new URL(script, 'http://edge').searchParams;
  t.is(query.get('mac'), '52-54-00-aa-00-01');
  t.is(Buffer.from(query.get('serial') ?? '', 'hex').toString(), 'A&B/1');
  t.deepEqual(
    files.map(file => file.replace(/\?.*/, '')),
    [`/images/sha256/${sha256}/vmlinuz`, `/images/sha256/${sha256}/initrd.zst`, '/boot/token.cpio'],
  );
  t.is(new URL(files[2] ?? '', 'http://edge').searchParams.get('image'), image.id);
});

test('a machine that shall start from its disk leaves iPXE', async t => {
  const {host} = record([decide(BootAction.LOCAL_DISK)]);
  t.is(await runIpxe(bootstrapScript, settings(), host), 'exit');
});

test('without an answer it reports, tries its NICs, sleeps longer each time, and asks again', async t => {
  const away = new IpxeError('Connection reset');
  const {asked, host} = record([away, away, away, away, decide(BootAction.IMAGE)]);
  t.is(await runIpxe(bootstrapScript, settings(), host), 'boot');
  t.deepEqual(
    asked.filter(path => path.startsWith('sleep')),
    ['sleep 5', 'sleep 10'],
  );
  const reports = asked.filter(path => path.startsWith('/boot/report'));
  t.is(reports.length, 4);
  t.true(reports[1]?.includes('nic=net0'));
});

test('a kernel that cannot be had is reported, and the machine asks what to boot now', async t => {
  const {asked, host} = record([
    decide(BootAction.IMAGE),
    new IpxeError('HTTP status 404'),
    decide(BootAction.LOCAL_DISK),
  ]);
  t.is(await runIpxe(bootstrapScript, settings(), host), 'exit');
  t.true(asked.some(path => path.startsWith('/boot/report?step=kernel&errno=')));
});

test('a script that goes round for ever is an error', async t => {
  const {host} = record([]);
  await t.throwsAsync(runIpxe('#!ipxe\n:a\ngoto a\n', settings(), host), {
    message: /the script never ends/,
  });
  await t.throwsAsync(runIpxe('<html>', settings(), host), {message: 'Exec format error'});
});
