import {readFileSync, writeFileSync} from 'node:fs';
import {BootTest_Firmware} from '@muster/proto/gen/muster/v1/images_pb.ts';
import {
  type ImageTest,
  GetImageTestLogResponseSchema,
  ImageTest_ImageType,
  ImageTest_Status,
  ImageTest_StatusSchema,
  ImageTest_TestType,
  ImageTestSchema,
} from '@muster/proto/gen/muster/v1/image_tests_pb.ts';
import {type Command, Option} from 'commander';
import {collectPages, type Context, contextOf, machineIdOf} from '../context.ts';
import {assertAnswered, CommandError, exitStatus} from '../exit-status.ts';
import {consoleLine, describeTest, followTest, nameOfTest} from '../image-test-view.ts';
import {addListOptions, choiceOption, chosen, type ListOptions} from '../list-options.ts';
import {age, type Column, nameOf} from '../output.ts';
import {addGateCommand} from './image-gate.ts';

const testTypes: Readonly<Record<string, ImageTest_TestType>> = {
  boot: ImageTest_TestType.BOOT,
  hello: ImageTest_TestType.HELLO,
  network: ImageTest_TestType.NETWORK,
  service: ImageTest_TestType.SERVICE,
  script: ImageTest_TestType.SCRIPT,
};
const statuses: Readonly<Record<string, ImageTest_Status>> = {
  pending: ImageTest_Status.PENDING,
  running: ImageTest_Status.RUNNING,
  passed: ImageTest_Status.PASSED,
  failed: ImageTest_Status.FAILED,
  cancelled: ImageTest_Status.CANCELLED,
  error: ImageTest_Status.ERROR,
};
const firmwares: Readonly<Record<string, readonly BootTest_Firmware[]>> = {
  bios: [BootTest_Firmware.BIOS],
  uefi: [BootTest_Firmware.UEFI],
  both: [BootTest_Firmware.BIOS, BootTest_Firmware.UEFI],
};

const columns: readonly Column<ImageTest>[] = [
  {title: 'ID', value: ({id}) => id},
  {title: 'TEST', value: nameOfTest},
  {title: 'IMAGE', value: ({imagePath}) => shortPath(imagePath)},
  {title: 'STATUS', value: ({status}) => nameOf(ImageTest_StatusSchema, status)},
  {title: 'AGE', value: ({createTime}) => age(createTime)},
  {title: 'FAILURE', value: ({failure}) => failure.slice(0, 80)},
];

/** `muster image-tests …` */
export function addImageTestCommands(program: Command): void {
  const tests = program
    .command('image-tests')
    .description('tests of images in virtual machines, and what groups require of them');
  addCreate(tests);
  addListOptions(tests.command('list').description('list tests, newest first'))
    .option('--image <image>', 'only those of this image')
    .addOption(choiceOption('--status <status...>', 'only those', statuses))
    .addOption(choiceOption('--type <type>', 'only those', testTypes))
    .addHelpText('after', '\nExample: muster image-tests list --status failed')
    .action(list);
  tests
    .command('show <test>')
    .description('show one test: what it checked, what came out, what to do next')
    .addHelpText('after', `\nExample: muster image-tests show ${exampleId}`)
    .action(show);
  tests
    .command('log <test>')
    .description("the serial console of the test's machine")
    .option('--follow', 'until the test is over; exit status 1 when it does not pass')
    .addHelpText('after', `\nExample: muster image-tests log ${exampleId} --follow`)
    .action(log);
  tests
    .command('screenshot <test> <file>')
    .description('write the screen at the end of the test into a PNG file')
    .addHelpText('after', `\nExample: muster image-tests screenshot ${exampleId} screen.png`)
    .action(screenshot);
  addChanges(tests);
  addGateCommand(tests);
}

const exampleId = '0198c0de-0000-7000-8000-000000000001';

function addCreate(tests: Command): void {
  tests
    .command('create <type>')
    .description('queue a test: boot, hello, network, service or script')
    .option('--image <image>', 'the id of the image')
    .option('--path <path>', 'instead: /images/NAME of a disk image in the image store')
    .option('--machine <machine>', 'the machine that it is for')
    .addOption(
      new Option('--firmware <firmware>', 'boot: both, others: bios').choices(
        Object.keys(firmwares),
      ),
    )
    .option('--unit <unit...>', 'service: units that have to be active')
    .option('--script <file>', 'script: the file with what /bin/sh shall run inside')
    .option('--name <name>', 'script: what gates call it, "script:NAME"')
    .option('--resolve <name>', 'network: a host name that has to resolve')
    .option('--time-limit <seconds>', 'of the whole boot', parseSeconds, 0)
    .option('--check-limit <seconds>', 'of what is checked inside', parseSeconds, 0)
    .option('--watch', 'show it until it is over; exit status 1 when it does not pass')
    .addHelpText(
      'after',
      `
Examples: muster image-tests create boot --image $(muster images list --json | jq -r .[0].id) --watch
  muster image-tests create service --image ID --unit sshd.service
  muster image-tests create script --image ID --script check.sh --name disk-layout
Example: muster image-tests create boot --path /images/custom-image.img --firmware bios`,
    )
    .action(create);
}

function addChanges(tests: Command): void {
  tests
    .command('cancel <test>')
    .description('stop a test')
    .addHelpText('after', `\nExample: muster image-tests cancel ${exampleId}`)
    .action(change('cancelImageTest'));
  tests
    .command('retry <test>')
    .description('queue the same test once more')
    .addHelpText('after', `\nExample: muster image-tests retry ${exampleId}`)
    .action(change('retryImageTest'));
}

type CreateOptions = {
  readonly image?: string;
  readonly path?: string;
  readonly machine?: string;
  readonly firmware?: string;
  readonly unit?: readonly string[];
  readonly script?: string;
  readonly name?: string;
  readonly resolve?: string;
  readonly timeLimit: number;
  readonly checkLimit: number;
  readonly watch?: boolean;
};

async function create(type: string, options: CreateOptions, command: Command): Promise<void> {
  const context = contextOf(command);
  const testType = testTypes[type];
  if (testType === undefined)
    throw new CommandError(
      `Cannot create a test of type "${type}": there is ${Object.keys(testTypes).join(', ')}`,
      exitStatus.usage,
    );
  const {machine, firmware} = options;
  const {imageTest} = await context.clients.imageTests.createImageTest({
    testType,
    imageType: ImageTest_ImageType.UNSPECIFIED,
    imageId: options.image ?? '',
    imagePath: options.path ?? '',
    machineId: machine === undefined ? '' : await machineIdOf(context, machine),
    firmwares: firmware === undefined ? [] : [...(firmwares[firmware] ?? [])],
    plan: {
      units: [...(options.unit ?? [])],
      script: options.script === undefined ? '' : readScript(options.script),
      scriptName: options.name ?? '',
      resolveName: options.resolve ?? '',
      timeLimitSeconds: options.timeLimit,
      checkTimeLimitSeconds: options.checkLimit,
    },
  });
  assertAnswered(imageTest);
  if (options.watch) return follow(context, imageTest.id);
  if (context.out.json) return context.out.document(ImageTestSchema, imageTest);
  const {id} = imageTest;
  context.out.line(`Queued test ${id}; watch it with: muster image-tests log ${id} --follow`);
}

function readScript(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    throw new CommandError(`Cannot read the script "${file}": ${problem}`, exitStatus.usage);
  }
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (!Number.isInteger(seconds) || seconds < 1)
    throw new CommandError(`Cannot use "${text}": say whole seconds`, exitStatus.usage);
  return seconds;
}

async function list(
  options: ListOptions & {
    readonly image?: string;
    readonly status?: readonly string[];
    readonly type?: string;
  },
  command: Command,
): Promise<void> {
  const context = contextOf(command);
  const {image = '', machine, type, since, until} = options;
  const query = {
    imageId: image,
    machineId: machine === undefined ? '' : await machineIdOf(context, machine),
    statuses: chosen(statuses, options.status),
    testType: testTypes[type ?? ''] ?? 0,
    since,
    until,
  };
  const tests = await collectPages(context, options.limit, async page => {
    const answer = await context.clients.imageTests.listImageTests({...query, ...page});
    return {rows: answer.imageTests, nextPageToken: answer.nextPageToken};
  });
  context.out.list(ImageTestSchema, columns, tests);
}

async function show(id: string, _options: object, command: Command): Promise<void> {
  const {clients, out} = contextOf(command);
  const {imageTest} = await clients.imageTests.getImageTest({id});
  assertAnswered(imageTest);
  if (out.json) return out.document(ImageTestSchema, imageTest);
  describeTest(out, imageTest);
}

async function log(
  id: string,
  options: {readonly follow?: boolean},
  command: Command,
): Promise<void> {
  const context = contextOf(command);
  if (options.follow) return follow(context, id);
  const answer = await context.clients.imageTests.getImageTestLog({id});
  if (context.out.json) return context.out.document(GetImageTestLogResponseSchema, answer);
  const lines = answer.text.replace(/\n$/, '').split('\n');
  context.out.line(lines.map(consoleLine).join('\n'));
}

async function follow({clients, out, remark, signal}: Context, id: string): Promise<void> {
  try {
    await followTest(clients.imageTests.watchImageTest({id}, {signal}), out);
  } catch (error) {
    if (!signal.aborted) throw error;
    remark(`Test ${id} goes on; see it again with: muster image-tests log ${id} --follow`);
  }
}

async function screenshot(
  id: string,
  file: string,
  _options: object,
  command: Command,
): Promise<void> {
  const {clients, out} = contextOf(command);
  const {png} = await clients.imageTests.getImageTestScreenshot({id});
  writeFileSync(file, png);
  if (!out.json) out.line(`Wrote ${png.length} bytes into ${file}`);
}

function change(method: 'cancelImageTest' | 'retryImageTest') {
  return async (id: string, _options: object, command: Command): Promise<void> => {
    const {clients, out} = contextOf(command);
    const {imageTest} = await clients.imageTests[method]({id});
    assertAnswered(imageTest);
    if (out.json) return out.document(ImageTestSchema, imageTest);
    const status = nameOf(ImageTest_StatusSchema, imageTest.status);
    const asked = imageTest.cancelRequested && imageTest.status === ImageTest_Status.RUNNING;
    out.line(`Test ${imageTest.id} is ${status}${asked ? ' and asked to stop' : ''}`);
  };
}

const shortPath = (path: string): string =>
  path.replace(/^\/images\/([0-9a-f]{12})[0-9a-f]{52}$/, '$1');
