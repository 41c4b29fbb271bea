import test from 'ava';
import {create} from '@bufbuild/protobuf';
import {BootAction, BootDecisionSchema} from '@muster/proto/gen/muster/v1/boot_pb.ts';
import type {Image} from '@muster/proto/gen/muster/v1/images_pb.ts';
import {ArtifactSchema} from '@muster/proto/gen/muster/v1/images_pb.ts';
import {askAgainScript, bootstrapScript, emptyScript, renderScript} from './script.ts';
import {anImage, initrdDigest, kernelDigest} from './testing/edge.ts';

const identity =
  'mac=${netX/mac:hexhyp}&mac=${net0/mac:hexhyp}&mac=${net1/mac:hexhyp}&mac=${net2/mac:hexhyp}&mac=${net3/mac:hexhyp}' +
  '&uuid=${uuid}&serial=${serial:hexraw}&product=${product:hexraw}&manufacturer=${manufacturer:hexraw}&asset=${asset:hexraw}' +
  '&platform=${platform}&buildarch=${buildarch}&busid=${netX/busid:hexraw}&ip=${netX/ip}';
const reporter = 'mac=${netX/mac:hexhyp}&uuid=${uuid}&serial=${serial:hexraw}';

const search = `:search
set step script
chain --replace --autofree /boot.ipxe?${identity} || goto search_failed
:search_failed
set code \${errno}
echo Muster: no boot script through \${netX/mac}: \${code}
chain --autofree /boot/report?step=\${step}&errno=\${code}&${reporter} ||
set index:int32 0
:nic
isset \${net\${index}/mac} || goto wait
echo Muster: trying net\${index} \${net\${index}/mac}
ifclose
set step dhcp
ifconf --configurator dhcp net\${index} || ifconf net\${index} || goto nic_failed
set step script
chain --replace --autofree /boot.ipxe?${identity} || goto nic_failed
:nic_failed
set code \${errno}
echo Muster: \${step} failed on net\${index}: \${code}
chain --autofree /boot/report?step=\${step}&errno=\${code}&nic=net\${index}&${reporter} ||
inc index
goto nic
:wait
isset \${pause} || set pause:int32 0
iseq \${pause} 60 || inc pause 5
echo Muster: asking again in \${pause} s
sleep \${pause}
goto search
`;

const failed = `:failed
set code \${errno}
echo Muster: \${step} failed: \${code}
imgfree
chain --autofree /boot/report?step=\${step}&errno=\${code}&${reporter} ||
goto wait
`;

const load = (id: string) => `set step kernel
kernel /images/sha256/${kernelDigest}/vmlinuz?mac=\${netX/mac:hexhyp} initrd=initrd.zst initrd=boot.cpio console=ttyS0 panic=30 || goto failed
set step initrd
initrd --name initrd.zst /images/sha256/${initrdDigest}/initrd.zst?mac=\${netX/mac:hexhyp} || goto failed
set step token
initrd --name boot.cpio /boot/token.cpio?${reporter}&image=${id.repeat(64)} || goto failed
set step boot
boot || goto failed
goto failed
`;

const images = (full?: Image, virtual?: Image) => ({
  find: (id: string) => [full, virtual].find(image => image?.id === id),
  registrationFull: full,
  registrationVirtual: virtual,
});
const decide = (action: BootAction, reason: string, imageId = '') =>
  create(BootDecisionSchema, {action, reason, imageId});

test('the bootstrap asks through each NIC, reports and sleeps longer each time', t => {
  t.is(
    bootstrapScript,
    `#!ipxe\necho Muster: asking for the boot script of this machine\n${search}`,
  );
});

test('asking again does the same', t => {
  t.is(
    askAgainScript,
    `#!ipxe\necho Muster: this name is not enough, asking with all that identifies this machine\n${search}`,
  );
});

test('an image', t => {
  const image = anImage('1');
  t.is(
    renderScript(decide(BootAction.IMAGE, 'its desired image', image.id), images(image)),
    `#!ipxe\necho Muster: starting image 111111111111: its desired image\n${load('1')}${failed}${search}`,
  );
});

test('an image with two initrds names each one', t => {
  const initrds = ['base.zst', 'machine.zst'].map(name =>
    create(ArtifactSchema, {name, sha256: initrdDigest, sizeBytes: 8n}),
  );
  const image = anImage('1', {initrds});
  const script = renderScript(decide(BootAction.IMAGE, 'x', image.id), images(image));
  t.true(script.includes(' initrd=base.zst initrd=machine.zst initrd=boot.cpio console=ttyS0'));
  t.true(script.indexOf('--name base.zst') < script.indexOf('--name machine.zst'));
  t.true(script.indexOf('--name machine.zst') < script.indexOf('--name boot.cpio'));
});

test('registration: the virtual image only for virtio cards', t => {
  t.is(
    renderScript(
      decide(BootAction.REGISTRATION, 'a machine nobody knows'),
      images(anImage('1'), anImage('2')),
    ),
    `#!ipxe
echo Muster: starting the registration image: a machine nobody knows
iseq x\${netX/busid:hexraw} x011af41000 && goto virtual ||
iseq x\${netX/busid:hexraw} x011af41041 && goto virtual ||
${load('1')}:virtual
${load('2')}${failed}${search}`,
  );
});

test('registration with the full image alone, for every card', t => {
  t.is(
    renderScript(decide(BootAction.REGISTRATION, 'new'), images(anImage('1'))),
    `#!ipxe\necho Muster: starting the registration image: new\n${load('1')}${failed}${search}`,
  );
});

test('registration with the virtual image alone: real hardware waits', t => {
  const script = renderScript(
    decide(BootAction.REGISTRATION, 'new'),
    images(undefined, anImage('2')),
  );
  t.true(
    script.includes(
      `goto virtual ||\necho Muster: waiting: no registration image for real hardware exists yet\ngoto wait\n:virtual\n${load('2')}`,
    ),
  );
});

test('registration without any image waits', t => {
  t.is(
    renderScript(decide(BootAction.REGISTRATION, 'new'), images()),
    `#!ipxe\necho Muster: waiting: no registration image exists yet\ngoto wait\n${search}`,
  );
});

test('the local disk is exit 1, with the reason', t => {
  t.is(
    renderScript(decide(BootAction.LOCAL_DISK, 'the machine is retired'), images()),
    '#!ipxe\necho Muster: starting from the local disk: the machine is retired\nexit 1\n',
  );
});

test('a retry waits and asks again', t => {
  t.is(
    renderScript(decide(BootAction.RETRY, 'its image is being built'), images()),
    `#!ipxe\necho Muster: waiting: its image is being built\ngoto wait\n${search}`,
  );
});

test('a note comes first', t => {
  t.regex(
    renderScript(decide(BootAction.LOCAL_DISK, 'x'), images(), 'the server did not answer'),
    /^#!ipxe\necho Muster: the server did not answer\necho /,
  );
});

test('the answer to a report is an empty script', t => {
  t.is(emptyScript, '#!ipxe\n');
});

test('a reason cannot become iPXE syntax', t => {
  const reason = 'x || shell\nshell && ${net0/mac} "quoted" `a` \\ end' + 'y'.repeat(400);
  const script = renderScript(decide(BootAction.LOCAL_DISK, reason), images());
  t.is(script.split('\n').length, 4);
  t.notRegex(script, /[|&$"`\\]/);
  t.true((script.split('\n')[1] ?? '').length < 240);
});

for (const [what, parts] of [
  ['a command line with a setting', {commandLine: 'x=${serial}'}],
  ['a command line with an operator', {commandLine: 'quiet || shell'}],
  ['a command line of two lines', {commandLine: 'quiet\nshell'}],
] as const)
  test(`an image with ${what} is not booted`, t => {
    const image = anImage('1', parts);
    const script = renderScript(decide(BootAction.IMAGE, 'x', image.id), images(image));
    t.regex(
      script,
      /^#!ipxe\necho Muster: Cannot boot image 1{64} : its command line .*\ngoto wait\n/,
    );
  });

test('every label that is jumped to exists once', t => {
  const scripts = [
    bootstrapScript,
    renderScript(decide(BootAction.REGISTRATION, 'x'), images(anImage('1'), anImage('2'))),
    renderScript(decide(BootAction.REGISTRATION, 'x'), images(undefined, anImage('2'))),
    renderScript(decide(BootAction.IMAGE, 'x', anImage('1').id), images(anImage('1'))),
    renderScript(decide(BootAction.RETRY, 'x'), images()),
  ];
  for (const script of scripts)
    for (const [, label] of script.matchAll(/goto (\w+)/g))
      t.is(script.split(`\n:${label}\n`).length, 2, label);
});
