import {copyFile, mkdir, mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {type MessageInitShape} from '@bufbuild/protobuf';
import test, {type ExecutionContext} from 'ava';
import type {LocalArtifact} from '@muster/builder/backends/backend.ts';
import {BootTest_Firmware} from '@muster/proto/gen/muster/v1/images_pb.ts';
import {
  type CreateImageTestRequestSchema,
  type ImageTest,
  ImageTest_Status,
  ImageTest_TestType,
  ImageTestService,
} from '@muster/proto/gen/muster/v1/image_tests_pb.ts';
import {imageId} from '@muster/server/domain/images.ts';
import {insertImage} from '@muster/server/store/images.ts';
import {type Muster, startMuster} from '../helpers/muster.ts';
import {readPng} from '../helpers/png.ts';
import {until} from '../helpers/processes.ts';
import {openDebianImages, webMachine} from '../helpers/debian-images.ts';

const {BOOT, NETWORK, SERVICE, SCRIPT} = ImageTest_TestType;
const {PENDING, RUNNING, PASSED, FAILED} = ImageTest_Status;
const minuteMs = 60_000;
/** Many times what a quiet machine needs under TCG. */
const limitMs = 12 * minuteMs;
const checkTimeLimitSeconds = 600;

let muster: Muster;
let image = '';
test.before(async t => {
  t.timeout(20 * minuteMs);
  muster = await startMuster({
    // It offers no back end, so nobody asks it for registration images: one virtual machine at a time.
    builderEnv: {AGENT_BUNDLE: '/nonexistent/agent.cjs'},
  });
  image = await addMachineImage();
  muster.builder.start();
});
test.after.always(() => muster[Symbol.asyncDispose]());

/** Builds it, and puts it into the server's image store as a builder would have. */
async function addMachineImage(): Promise<string> {
  const images = await openDebianImages();
  const directory = await mkdtemp(path.join(tmpdir(), 'muster-image-tests-'));
  try {
    const {inputKey, image: built} = await images.build(webMachine, directory);
    const store = path.join(muster.folder, 'server', 'images');
    for (const file of [built.kernel, ...built.initrds, ...built.layers]) {
      const folder = path.join(store, file.sha256.slice(0, 2));
      await mkdir(folder, {recursive: true});
      await copyFile(file.path, path.join(folder, file.sha256));
    }
    const artifact = ({name, sha256, sizeBytes}: LocalArtifact) => ({name, sha256, sizeBytes});
    const manifest = {
      kernel: artifact(built.kernel),
      initrds: built.initrds.map(artifact),
      layers: built.layers.map(artifact),
      commandLine: built.commandLine,
    };
    const id = imageId(manifest);
    await insertImage(muster.postgres.sql, {
      ...manifest,
      id,
      kind: 'machine',
      variant: 'virtual',
      backend: 'debian',
      inputKey,
      memoryRequiredBytes: built.memoryRequiredBytes,
      bootTests: [],
      buildId: undefined,
      createTime: new Date(),
    });
    return id;
  } finally {
    await rm(directory, {recursive: true, force: true});
  }
}

const tests = () => muster.client(ImageTestService);

async function queue(
  order: MessageInitShape<typeof CreateImageTestRequestSchema>,
): Promise<string> {
  const {imageTest} = await tests().createImageTest(order);
  return imageTest?.id ?? '';
}

const when = (id: string, what: string, holds: (test: ImageTest) => boolean): Promise<ImageTest> =>
  until(
    what,
    async () => {
      const {imageTest} = await tests().getImageTest({id});
      return imageTest && holds(imageTest) ? imageTest : undefined;
    },
    limitMs,
  );

const end = (id: string) =>
  when(id, `the end of test ${id}`, ({status}) => status !== PENDING && status !== RUNNING);

async function assertPicture(t: ExecutionContext, id: string): Promise<void> {
  const {png} = await tests().getImageTestScreenshot({id});
  const {width, height, colours} = readPng(Buffer.from(png));
  t.log(`screen: ${width} x ${height}, ${colours} colours, ${png.length} bytes`);
  t.true(width >= 640 && width <= 4096 && height >= 350 && height <= 4096);
  t.true(colours >= 2);
}

async function story(id: string): Promise<string> {
  const {text} = await tests().getImageTestLog({id});
  return text.slice(-4000);
}

test.serial(
  'a builder that is killed in mid-test leaves it to the next one: it counts once',
  async t => {
    const id = await queue({
      imageId: image,
      testType: SERVICE,
      plan: {
        units: ['muster-agent.service', 'systemd-journald.service'],
        checkTimeLimitSeconds,
      },
    });
    await when(id, 'a machine that boots', ({stage}) => stage === 'init running');
    await muster.builder.stop('SIGKILL');
    muster.builder.start();

    const done = await end(id);
    t.is(done.status, PASSED, `${done.failure}\n${await story(id)}`);
    t.is(done.attempt, 2);
    t.like(done.results, {length: 1, 0: {passed: true, stage: 'agent started'}});
    t.deepEqual(
      done.results[0]?.checks.map(({name, passed}) => [name, passed]),
      [
        ['unit muster-agent.service', true],
        ['unit systemd-journald.service', true],
      ],
    );
    const events = await muster.postgres.sql<{type: string}[]>`
    select type from events where subject = ${`image-tests/${id}`} order by id
  `;
    t.deepEqual(
      events.map(({type}) => type),
      ['image_test.requested', 'image_test.started', 'image_test.started', 'image_test.passed'],
    );
    await assertPicture(t, id);
    t.regex(await story(id), /== BIOS: passed in/);
  },
);

test.serial(
  'the agent runs a script as root, and tells what it wrote and how it ended',
  async t => {
    const script = 'cat /etc/motd; hostname; id -u; exit 3';
    const scripted = await queue({
      imageId: image,
      testType: SCRIPT,
      plan: {script, checkTimeLimitSeconds},
    });
    const failed = await end(scripted);
    t.is(failed.status, FAILED, `${failed.failure}\n${await story(scripted)}`);
    t.like(failed.results[0]?.checks[0], {name: 'script', passed: false, exitStatus: 3});
    t.is(failed.results[0]?.checks[0]?.output, 'hello\nweb-1\n0\n');
    t.regex(failed.failure, /^Under BIOS: script: It ended with status 3$/);
    t.not(failed.results[0]?.consoleTail, '');
    await assertPicture(t, scripted);
  },
);

test.serial('an image boots until its agent starts', async t => {
  const id = await queue({
    imageId: image,
    testType: BOOT,
    firmwares: [BootTest_Firmware.BIOS],
  });
  const done = await end(id);
  t.is(done.status, PASSED, `${done.failure}\n${await story(id)}`);
  t.deepEqual(done.names, ['boot-bios']);
});

test.serial(
  'under UEFI the agent finds its network, and a name that nobody knows fails',
  async t => {
    const id = await queue({
      imageId: image,
      testType: NETWORK,
      firmwares: [BootTest_Firmware.UEFI],
      plan: {resolveName: 'nobody.invalid'},
    });
    const done = await end(id);
    t.is(done.status, FAILED, await story(id));
    t.regex(done.failure, /^Under UEFI: resolve: Cannot resolve "nobody\.invalid"/);
    t.deepEqual(
      done.results[0]?.checks.map(({name, passed}) => [name, passed]),
      [
        ['address', true],
        ['http', true],
        ['resolve', false],
      ],
    );
    await assertPicture(t, id);
  },
);

test.serial('a disk image of the image store boots until it asks for a login', async t => {
  const folder = path.join(muster.folder, 'server', 'images', 'images');
  await mkdir(folder, {recursive: true});
  await writeFile(path.join(folder, 'good.img'), diskThatSays('\r\nhost login: '));
  await writeFile(path.join(folder, 'bad.img'), diskThatSays('\r\nnothing to see'));
  const firmwares = [BootTest_Firmware.BIOS];
  const order = {testType: BOOT, firmwares} as const;
  const good = await end(await queue({...order, imagePath: '/images/good.img'}));
  t.is(good.status, PASSED, good.failure);
  await assertPicture(t, good.id);
  const plan = {timeLimitSeconds: 20};
  const bad = await end(await queue({...order, plan, imagePath: '/images/bad.img'}));
  t.is(bad.status, FAILED);
  t.regex(bad.failure, /no login prompt came on the serial console/);
  t.regex(await story(bad.id), /nothing to see/);
});

/** A boot sector that writes a text to the first serial port and halts. */
function diskThatSays(text: string): Buffer {
  const start = 0x7c00;
  const code = [
    ...[0x31, 0xc0, 0x8e, 0xd8], // xor ax, ax; mov ds, ax
    ...[0xbe, 0, 0, 0xba, 0xf8, 0x03], // mov si, text; mov dx, 0x3f8
    ...[0xac, 0x84, 0xc0, 0x74, 0x03, 0xee, 0xeb, 0xf8], // lodsb; test al, al; jz end; out dx, al; jmp lodsb
    ...[0xf4, 0xeb, 0xfd], // end: hlt; jmp end
  ];
  const disk = Buffer.alloc(1024 * 1024);
  Buffer.from(code).copy(disk);
  disk.writeUInt16LE(start + code.length, 5);
  disk.write(`${text}\0`, code.length, 'latin1');
  disk.writeUInt16LE(0xaa55, 510);
  return disk;
}
