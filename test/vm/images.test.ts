import {mkdir, mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import type {MessageInitShape} from '@bufbuild/protobuf';
import test, {type ExecutionContext} from 'ava';
import {type BootTestRequest, runBootTest} from '@muster/builder/boot-tests/boot-test.ts';
import type {BuildSpecSchema} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import {Image_Kind, Image_Variant} from '@muster/proto/gen/muster/v1/images_pb.ts';
import {openDebianImages, webMachine} from '../helpers/debian-images.ts';

const megabyte = 1024 * 1024;
const timeLimitSeconds = 600;

async function setUp(t: ExecutionContext) {
  const directory = await mkdtemp(path.join(tmpdir(), 'muster-images-'));
  t.teardown(() => rm(directory, {recursive: true, force: true}));
  const images = await openDebianImages(line => t.log(line));
  return {
    async build(name: string, spec: MessageInitShape<typeof BuildSpecSchema>) {
      await mkdir(path.join(directory, name));
      return images.build(spec, path.join(directory, name));
    },
    boot: (request: Pick<BootTestRequest, 'image' | 'inputKey' | 'firmware' | 'fullDrivers'>) =>
      runBootTest({...request, accelerator: 'tcg', timeLimitSeconds, directory}, images.context),
  };
}

const virtualRegistration = {kind: Image_Kind.REGISTRATION, variant: Image_Variant.VIRTUAL};

test.serial(
  'the small registration image is reproducible, small, and boots with little memory',
  async t => {
    const {build, boot} = await setUp(t);
    const first = await build('first', virtualRegistration);
    const second = await build('second', virtualRegistration);
    t.is(second.inputKey, first.inputKey);
    t.is(second.image.initrds[0]?.sha256, first.image.initrds[0]?.sha256);

    const {kernel, initrds, memoryRequiredBytes} = first.image;
    const bytes = kernel.sizeBytes + (initrds[0]?.sizeBytes ?? 0);
    t.true(bytes <= 65_000_000, `${bytes} bytes`);
    t.true(memoryRequiredBytes <= 512 * megabyte);
    for (const firmware of ['bios', 'uefi'] as const) {
      const result = await boot({...first, firmware, fullDrivers: false});
      t.like(result, {passed: true, failure: ''}, result.consoleTail);
    }
  },
);

test.serial(
  'the registration image for real hardware boots from an Intel network card',
  async t => {
    const {build, boot} = await setUp(t);
    const {image, inputKey} = await build('full', {
      kind: Image_Kind.REGISTRATION,
      variant: Image_Variant.FULL,
    });
    const bytes = image.kernel.sizeBytes + (image.initrds[0]?.sizeBytes ?? 0);
    t.true(bytes <= 75_000_000, `${bytes} bytes`);
    const result = await boot({image, inputKey, firmware: 'bios', fullDrivers: true});
    t.like(result, {passed: true, failure: ''}, result.consoleTail);
  },
);

test.serial('a machine image boots into systemd with its packages, keys and files', async t => {
  const {build, boot} = await setUp(t);
  const {image, inputKey} = await build('machine', webMachine);
  t.deepEqual(
    image.layers.map(({name}) => name),
    ['base.squashfs', 'kernel.squashfs', 'agent.squashfs', 'machine.squashfs'],
  );
  const result = await boot({image, inputKey, firmware: 'uefi', fullDrivers: false});
  t.like(result, {passed: true, failure: ''}, result.consoleTail);
});

test.serial('a failed boot test says how far it came and keeps the console', async t => {
  const {build, boot} = await setUp(t);
  const {image, inputKey} = await build('image', virtualRegistration);
  const other = await boot({image, inputKey: 'another', firmware: 'bios', fullDrivers: false});
  t.false(other.passed);
  t.regex(
    other.failure,
    /under BIOS failed: the agent reports the input key "[0-9a-f]{64}", the image's is "another"/,
  );

  const broken = {
    ...image,
    commandLine: image.commandLine.replace('panic=30', 'panic=30 rdinit=/nothing'),
  };
  const panicked = await boot({image: broken, inputKey, firmware: 'bios', fullDrivers: false});
  t.false(panicked.passed);
  t.regex(panicked.failure, /Kernel panic - not syncing/);
  t.regex(panicked.consoleTail, /Kernel panic/);
  t.true(panicked.consoleTail.length <= 16 * 1024);
});
