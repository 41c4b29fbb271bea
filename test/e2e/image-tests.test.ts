import {randomUUID} from 'node:crypto';
import test, {type ExecutionContext} from 'ava';
import {Code, ConnectError} from '@connectrpc/connect';
import {BuildService} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import {GroupService} from '@muster/proto/gen/muster/v1/groups_pb.ts';
import {type Image, Image_Kind, ImageService} from '@muster/proto/gen/muster/v1/images_pb.ts';
import {
  ImageGate_Verdict,
  ImageTest_ImageType,
  ImageTest_Status,
  ImageTest_TestType,
  ImageTestService,
} from '@muster/proto/gen/muster/v1/image_tests_pb.ts';
import {
  type Machine,
  Machine_State,
  MachineService,
} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {blackPoint, startContractBuilder} from '../helpers/contract-builder.ts';
import {type Muster, startMuster} from '../helpers/muster.ts';
import {until} from '../helpers/processes.ts';
import {createStranger, enrolStranger} from '../helpers/stranger.ts';
import {onHostOf, said} from '../helpers/command.ts';

const {BOOT, HELLO, SERVICE, SCRIPT} = ImageTest_TestType;
const {PENDING, RUNNING, PASSED, FAILED, CANCELLED} = ImageTest_Status;

let muster: Muster;
let builder: AsyncDisposable;
test.before(async () => {
  muster = await startMuster();
  builder = await startContractBuilder(muster, 'tester');
});
test.after.always(async () => {
  await builder[Symbol.asyncDispose]();
  await muster[Symbol.asyncDispose]();
});

const tests = () => muster.client(ImageTestService);

/** The server asks for one by itself as soon as there is a builder. */
const registrationImage = (): Promise<Image> =>
  until('a registration image', async () => {
    const {images} = await muster.client(ImageService).listImages({kind: Image_Kind.REGISTRATION});
    return images[0];
  });

const ended = (id: string) =>
  until(`the end of test ${id}`, async () => {
    const {imageTest} = await tests().getImageTest({id});
    const over = imageTest && imageTest.status !== PENDING && imageTest.status !== RUNNING;
    return over ? imageTest : undefined;
  });

const codeOf = (call: Promise<unknown>): Promise<[Code, string] | undefined> =>
  call.then(
    () => undefined,
    (error: unknown) => {
      const {code, rawMessage} = ConnectError.from(error);
      return [code, rawMessage];
    },
  );

const cli = (...args: string[]) => said(args, onHostOf(muster));

test('a test is queued, followed live, and kept with its log and its screen', async t => {
  const image = await registrationImage();
  const asked = {imageId: image.id, testType: HELLO};
  const {imageTest} = await tests().createImageTest(asked);
  t.like(imageTest, {status: PENDING, imagePath: `/images/${image.id}`, names: ['hello']});
  const id = imageTest?.id ?? '';
  const lines: string[] = [];
  const statuses: ImageTest_Status[] = [];
  for await (const {update} of tests().watchImageTest({id})) {
    if (update.case === 'log') lines.push(...update.value.lines);
    if (update.case === 'imageTest') statuses.push(update.value.status);
  }
  t.is(statuses.at(-1), PASSED);
  t.true(lines.includes(`testing ${image.id}`));

  const done = (await tests().getImageTest({id})).imageTest;
  t.like(done, {status: PASSED, attempt: 1, failure: '', nextStep: '', actor: 'local'});
  t.is(done?.imageType, ImageTest_ImageType.REGISTRATION);
  t.like(done?.results, {length: 1, 0: {passed: true, stage: 'agent started'}});
  const {text} = await tests().getImageTestLog({id});
  t.true(text.startsWith('MUSTER init\n') && text.trimEnd().endsWith('later'));
  const {png} = await tests().getImageTestScreenshot({id});
  t.deepEqual(Buffer.from(png), blackPoint);

  const {imageTest: again} = await tests().retryImageTest({id});
  t.not(again?.id, id);
  t.is((await ended(again?.id ?? '')).status, PASSED);
  const query = {imageId: image.id, status: PASSED, testType: HELLO};
  const first = await tests().listImageTests({...query, pageSize: 1});
  t.deepEqual(
    first.imageTests.map(listed => listed.id),
    [again?.id],
  );
  const {imageTests} = await tests().listImageTests({...query, pageToken: first.nextPageToken});
  t.deepEqual(
    imageTests.map(listed => listed.id),
    [id],
  );
  const none = await tests().listImageTests({...query, status: FAILED});
  t.is(none.imageTests.length, 0);
});

test('image_path finds images by id and by file, and nothing outside of the image store', async t => {
  const image = await registrationImage();
  const create = (
    imagePath: string,
    imageType: ImageTest_ImageType = ImageTest_ImageType.UNSPECIFIED,
  ) => tests().createImageTest({imagePath, imageType, testType: BOOT});
  const {imageTest} = await create(`/images/sha256/${image.kernel?.sha256}/vmlinuz`);
  t.is(imageTest?.imageId, image.id);
  t.deepEqual(imageTest?.names, ['boot-bios', 'boot-uefi']);

  const refusals = [
    ['/images/../server/master.key', Code.InvalidArgument, /holds no "\." and "\.\."/],
    ['/etc/passwd', Code.InvalidArgument, /outside of the image store/],
    ['http://elsewhere/images/x', Code.InvalidArgument, /names another host/],
    ['/images/nothing.img', Code.NotFound, /put the disk image into its folder "images"/],
    [`/images/${'0'.repeat(64)}`, Code.NotFound, /"muster images list"/],
  ] as const;
  for (const [path, code, message] of refusals) {
    const refused = await codeOf(create(path));
    t.is(refused?.[0], code, path);
    t.regex(refused?.[1] ?? '', message);
  }
  const other = await codeOf(create(`/images/${image.id}`, ImageTest_ImageType.CUSTOM));
  t.regex(other?.[1] ?? '', /as custom: it is registration/);
  t.is((await codeOf(tests().createImageTest({testType: BOOT})))?.[0], Code.InvalidArgument);
});

test('a test that runs is cancelled, and one of a unit that is not active says so', async t => {
  const image = await registrationImage();
  const asked = {imageId: image.id, testType: SCRIPT, plan: {script: 'wait', scriptName: 'slow'}};
  const {imageTest} = await tests().createImageTest(asked);
  const id = imageTest?.id ?? '';
  await until('a running test', async () => {
    const {imageTest} = await tests().getImageTest({id});
    return imageTest?.status === RUNNING ? imageTest : undefined;
  });
  await tests().cancelImageTest({id});
  const cancelled = await ended(id);
  t.is(cancelled.status, CANCELLED);
  t.is(cancelled.failure, 'Cancelled by local');
  t.is((await codeOf(tests().getImageTestScreenshot({id})))?.[0], Code.FailedPrecondition);

  const plan = {units: ['broken.service', 'sshd.service']};
  const {imageTest: service} = await tests().createImageTest({
    imageId: image.id,
    testType: SERVICE,
    plan,
  });
  const failed = await ended(service?.id ?? '');
  t.like(failed, {status: FAILED, failure: 'Under BIOS: a unit is not active'});
  t.regex(failed.nextStep, /Correct the unit/);
  const shown = await cli('image-tests', 'show', failed.id);
  t.regex(shown, /service:broken\.service service:sshd\.service/);
  t.regex(shown, /failed {2}unit broken\.service {2}failed \(failed\)/);
  t.regex(await cli('images', 'show', image.id), /test service:broken\.service .*: failed/);
});

async function addMachine(t: ExecutionContext, group: string, gate: string[]): Promise<string> {
  const groups = muster.client(GroupService);
  await groups.createGroup({group: {name: group, imageGate: gate}});
  const number = Math.floor(Math.random() * 256)
    .toString(16)
    .padStart(2, '0');
  const mac = `52:54:00:00:08:${number}`;
  const stranger = createStranger(muster, {mac, serial: `GATE-${randomUUID().slice(0, 8)}`});
  const {machineId} = await enrolStranger(stranger);
  const imageConfig = {hostName: group, packages: [], sshAuthorizedKeys: ['ssh-ed25519 AAAA a']};
  await muster.client(MachineService).updateMachine({
    machine: {id: machineId, imageConfig},
    updateMask: {paths: ['image_config']},
  });
  await groups.addGroupMachine({groupId: group, machineId});
  t.log(`${group} is ${machineId}`);
  return machineId;
}

const machineWhen = (id: string, holds: (machine: Machine) => boolean): Promise<Machine> =>
  until('the machine', async () => {
    const {machine} = await muster.client(MachineService).getMachine({id});
    return machine && holds(machine) ? machine : undefined;
  });

const gateOf = async (machineId: string) => (await tests().explainImageGate({machineId})).gate;

test('a gate holds an image back, tests it, and lets it through once the tests pass', async t => {
  t.timeout(120_000);
  const required = ['boot-uefi', 'hello', 'service:flaky.service'];
  const machineId = await addMachine(t, 'flaky', required);
  await muster.client(BuildService).createBuild({machineId});

  const failed = await machineWhen(machineId, ({state}) => state === Machine_State.FAILED);
  t.regex(failed.stateReason, /did not pass its gate: It failed service:flaky\.service/);
  t.regex(failed.stateReason, /required by group flaky/);
  t.is(failed.desiredImageId, '');
  const closed = await gateOf(machineId);
  t.like(closed, {verdict: ImageGate_Verdict.CLOSED, held: true});
  t.deepEqual(
    closed?.requirements.map(({test, status}) => [test, status]),
    [
      ['boot-uefi', PASSED],
      ['hello', PASSED],
      ['service:flaky.service', FAILED],
    ],
  );
  const decided = closed?.requirements[2];
  t.deepEqual(decided?.origins, ['group flaky']);
  const configuration = await cli('machines', 'configuration', machineId);
  t.regex(configuration, /image_gate +group flaky +boot-uefi hello service:flaky\.service/);
  const decision = (await tests().getImageTest({id: decided?.imageTestId ?? ''})).imageTest;
  t.like(decision, {actor: 'system', machineId});

  await cli('image-tests', 'retry', decided?.imageTestId ?? '');
  const ready = await machineWhen(machineId, ({state}) => state === Machine_State.READY);
  t.is(ready.desiredImageId, closed?.imageId ?? '');
  t.like(await gateOf(machineId), {verdict: ImageGate_Verdict.OPEN, held: false});
  t.regex(await cli('image-tests', 'gate', machineId), /gate +OPEN/);
});

test('an image waits for a test that nobody has given yet, and for none once the gate is gone', async t => {
  t.timeout(120_000);
  const machineId = await addMachine(t, 'scripted', ['script:disk-layout']);
  await muster.client(BuildService).createBuild({machineId});
  const waiting = await machineWhen(machineId, ({stateReason}) =>
    stateReason.includes('It waits for script:disk-layout'),
  );
  t.is(waiting.state, Machine_State.PROVISIONING);
  t.like(await gateOf(machineId), {verdict: ImageGate_Verdict.WAITING, held: true});

  await cli('groups', 'update', 'scripted', '--no-gate');
  const ready = await machineWhen(machineId, ({state}) => state === Machine_State.READY);
  t.not(ready.desiredImageId, '');
  await cli('groups', 'update', 'scripted', '--gate', 'hello', 'service:sshd.service');
  const {group} = await muster.client(GroupService).getGroup({id: 'scripted'});
  t.deepEqual(group?.imageGate, ['hello', 'service:sshd.service']);
});
