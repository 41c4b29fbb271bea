import {
  BootTest_FirmwareSchema,
  CollectImagesResponseSchema,
  type Image,
  Image_KindSchema,
  Image_VariantSchema,
  ImageSchema,
} from '@muster/proto/gen/muster/v1/images_pb.ts';
import type {Command} from 'commander';
import {collectPages, contextOf, parseLimit} from '../context.ts';
import {assertAnswered, CommandError, exitStatus} from '../exit-status.ts';
import {describeOutcome} from '../image-test-view.ts';
import {age, bytes, clock, type Column, nameOf} from '../output.ts';

/** The newest; "muster image-tests list --image" has the others. */
const testsShownMax = 20;

const columns: readonly Column<Image>[] = [
  {title: 'ID', value: image => image.id},
  {title: 'KIND', value: image => nameOf(Image_KindSchema, image.kind).toLowerCase()},
  {title: 'VARIANT', value: image => nameOf(Image_VariantSchema, image.variant).toLowerCase()},
  {title: 'BACKEND', value: image => image.backend},
  {title: 'SIZE', value: image => bytes(sizeOf(image))},
  {title: 'BOOT TESTS', value: describeTests},
  {title: 'AGE', value: image => age(image.createTime)},
];

/** `muster images …` */
export function addImageCommands(program: Command): void {
  const images = program.command('images').description('images: what was built');
  images
    .command('list')
    .description('list images, newest first')
    .option('--limit <n>', 'at most this many', parseLimit, 100)
    .addHelpText('after', '\nExample: muster images list --json | jq -r .[].id')
    .action(list);
  images
    .command('get <image>')
    .alias('show')
    .description('show one image: its files, digests, boot tests and what else it was tested for')
    .addHelpText(
      'after',
      '\nExample: muster images get $(muster images list --json | jq -r .[0].id)',
    )
    .action(get);
  addCollection(images);
}

function addCollection(images: Command): void {
  images
    .command('gc')
    .description('remove images that nothing has a use for, and files that no image names')
    .option('--dry-run', 'only say what would be removed')
    .option('--older-than <hours>', 'images and files of at least this age', parseHours, 24)
    .addHelpText(
      'after',
      `
What a machine has desired, booted, fallen back on, or named in an override or boot entry stays, as do the current registration images and
what a build is about to use.
Example: muster images gc --dry-run --older-than 168`,
    )
    .action(collect);
}

async function collect(
  options: {readonly dryRun?: boolean; readonly olderThan: number},
  command: Command,
): Promise<void> {
  const {clients, out} = contextOf(command);
  const {dryRun = false, olderThan: minimumAgeHours} = options;
  const answer = await clients.images.collectImages({dryRun, minimumAgeHours});
  if (out.json) return out.document(CollectImagesResponseSchema, answer);
  for (const id of answer.imageIds) out.line(id);
  const {imageIds, fileCount, freedBytes} = answer;
  out.line(
    `${dryRun ? 'Would remove' : 'Removed'} ${imageIds.length} images and ${fileCount} files, ${bytes(freedBytes)}`,
  );
}

function parseHours(text: string): number {
  const hours = Number(text);
  if (!Number.isInteger(hours) || hours < 1 || hours > 87_600)
    throw new CommandError(
      `Cannot use --older-than "${text}": say whole hours, from 1 to 87600`,
      exitStatus.usage,
    );
  return hours;
}

async function list(options: {readonly limit: number}, command: Command): Promise<void> {
  const context = contextOf(command);
  const images = await collectPages(context, options.limit, async page => {
    const answer = await context.clients.images.listImages(page);
    return {rows: answer.images, nextPageToken: answer.nextPageToken};
  });
  context.out.list(ImageSchema, columns, images);
}

async function get(id: string, _options: object, command: Command): Promise<void> {
  const {clients, out} = contextOf(command);
  const {image} = await clients.images.getImage({id});
  assertAnswered(image);
  if (out.json) return out.document(ImageSchema, image);
  out.record({
    id: image.id,
    kind: nameOf(Image_KindSchema, image.kind).toLowerCase(),
    variant: nameOf(Image_VariantSchema, image.variant).toLowerCase(),
    backend: image.backend,
    'input key': image.inputKey,
    'command line': image.commandLine,
    'memory needed': bytes(image.memoryRequiredBytes),
    build: image.buildId,
    created: clock(image.createTime),
  });
  out.line('');
  for (const {name, sizeBytes, sha256} of filesOf(image))
    out.line(`${name.padEnd(24)} ${bytes(sizeBytes).padStart(10)}  ${sha256}`);
  for (const boot of image.bootTests) {
    const firmware = nameOf(BootTest_FirmwareSchema, boot.firmware);
    const result = boot.passed ? 'passed' : `failed: ${boot.failure}`;
    const reused = boot.reusedFromImageId ? ` (of image ${boot.reusedFromImageId})` : '';
    out.line(`boot test ${firmware}: ${result} in ${boot.durationMs / 1000} s${reused}`);
  }
  const page = {imageId: id, pageSize: testsShownMax};
  const {imageTests} = await clients.imageTests.listImageTests(page);
  for (const imageTest of imageTests) out.line(`test ${describeOutcome(imageTest)}`);
}

const filesOf = ({kernel, initrds, layers}: Image) => [
  ...(kernel ? [kernel] : []),
  ...initrds,
  ...layers,
];

const sizeOf = (image: Image): bigint =>
  filesOf(image).reduce((sum, {sizeBytes}) => sum + sizeBytes, 0n);

function describeTests({bootTests}: Image): string {
  if (bootTests.length === 0) return 'untested';
  return bootTests
    .map(
      ({firmware, passed}) =>
        `${nameOf(BootTest_FirmwareSchema, firmware)} ${passed ? 'ok' : 'failed'}`,
    )
    .join(', ');
}
