import {type Build, BuildSchema} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import {
  Image_Kind,
  Image_KindSchema,
  Image_Variant,
  Image_VariantSchema,
} from '@muster/proto/gen/muster/v1/images_pb.ts';
import {Operation_StateSchema} from '@muster/proto/gen/muster/v1/operations_pb.ts';
import type {Command} from 'commander';
import {currentStep, followBuild} from '../build-progress.ts';
import {collectPages, type Context, contextOf, machineIdOf} from '../context.ts';
import {assertAnswered, CommandError, exitStatus} from '../exit-status.ts';
import {
  addListOptions,
  choiceOption,
  chosen,
  type ListOptions,
  operationStates,
} from '../list-options.ts';
import {age, type Column, nameOf} from '../output.ts';

const kinds: Readonly<Record<string, Image_Kind>> = {
  machine: Image_Kind.MACHINE,
  registration: Image_Kind.REGISTRATION,
};

const columns: readonly Column<Build>[] = [
  {title: 'ID', value: build => build.id},
  {
    title: 'KIND',
    value: build =>
      `${nameOf(Image_KindSchema, build.kind)} ${nameOf(Image_VariantSchema, build.variant)}`.toLowerCase(),
  },
  {title: 'BACKEND', value: build => build.backend},
  {title: 'MACHINE', value: build => build.machineId},
  {title: 'STATE', value: build => nameOf(Operation_StateSchema, build.operation?.state ?? 0)},
  {title: 'STEP', value: currentStep},
  {title: '%', value: build => String(Math.round(build.operation?.progressPercent ?? 0))},
  {title: 'AGE', value: build => age(build.operation?.createTime)},
  {title: 'ERROR', value: build => (build.operation?.error ?? '').slice(0, 80)},
];

/** `muster build …` */
export function addBuildCommands(program: Command): void {
  const builds = program.command('build').alias('builds').description('builds of images');

  builds
    .command('start [machine]')
    .description("build what the machine's configuration says, or a registration image")
    .option('--registration <variant>', 'a registration image instead: full or virtual')
    .option('--watch', 'show it until it is over')
    .addHelpText('after', '\nExample: muster build start ABC1234 --watch')
    .action(start);
  builds
    .command('watch <build>')
    .description('show log and progress until the build is over; exit status 1 when it fails')
    .addHelpText('after', '\nExample: muster build watch 0198c0de-0000-7000-8000-000000000001')
    .action(watch);
  builds
    .command('cancel <build>')
    .description('stop a build')
    .addHelpText('after', '\nExample: muster build cancel 0198c0de-0000-7000-8000-000000000001')
    .action(cancel);
  addListOptions(builds.command('list').description('list builds, newest first'))
    .addOption(choiceOption('--state <state...>', 'only those that are', operationStates))
    .addOption(choiceOption('--kind <kind>', 'only images of this kind', kinds))
    .option('--image <image>', 'only those that this image came of, by its whole id')
    .option('--template <template>', 'only those with this template')
    .addHelpText('after', '\nExample: muster build list --state failed --since 24h')
    .action(list);
}

async function start(
  name: string | undefined,
  options: {readonly registration?: string; readonly watch?: boolean},
  command: Command,
): Promise<void> {
  const context = contextOf(command);
  const {clients, out} = context;
  const {registration} = options;
  if ((name === undefined) === (registration === undefined))
    throw new CommandError(
      'Cannot start a build: name a machine, or give --registration full or --registration virtual',
      exitStatus.usage,
    );
  const {build} =
    registration === undefined
      ? await clients.builds.createBuild({machineId: await machineIdOf(context, name ?? '')})
      : await clients.builds.createRegistrationBuild({variant: parseVariant(registration)});
  assertAnswered(build);

  if (options.watch) return follow(context, build.id);
  if (out.json) return out.document(BuildSchema, build);
  out.line(`Started build ${build.id}; watch it with: muster build watch ${build.id}`);
}

async function watch(id: string, _options: object, command: Command): Promise<void> {
  await follow(contextOf(command), id);
}

async function follow({clients, out, remark, signal}: Context, id: string): Promise<void> {
  try {
    await followBuild(clients.builds.watchBuild({id}, {signal}), out);
  } catch (error) {
    if (!signal.aborted) throw error;
    remark(`Build ${id} goes on; see it again with: muster build watch ${id}`);
  }
}

async function cancel(id: string, _options: object, command: Command): Promise<void> {
  const {clients, out} = contextOf(command);
  const {build} = await clients.builds.cancelBuild({id});
  assertAnswered(build);
  if (out.json) return out.document(BuildSchema, build);
  const state = nameOf(Operation_StateSchema, build.operation?.state ?? 0);
  out.line(`Build ${build.id} is asked to stop; it is ${state}`);
}

async function list(
  options: ListOptions & {
    readonly state?: readonly string[];
    readonly kind?: string;
    readonly image?: string;
    readonly template?: string;
  },
  command: Command,
): Promise<void> {
  const context = contextOf(command);
  const {machine, since, until, kind = '', image = '', template = ''} = options;
  const machineId = machine ? await machineIdOf(context, machine) : '';
  const states = chosen(operationStates, options.state);
  const of = {machineId, kind: kinds[kind] ?? Image_Kind.UNSPECIFIED, imageId: image, template};
  const builds = await collectPages(context, options.limit, async page => {
    const answer = await context.clients.builds.listBuilds({...page, ...of, states, since, until});
    return {rows: answer.builds, nextPageToken: answer.nextPageToken};
  });
  context.out.list(BuildSchema, columns, builds);
}

function parseVariant(text: string): Image_Variant {
  if (text === 'full') return Image_Variant.FULL;
  if (text === 'virtual') return Image_Variant.VIRTUAL;
  throw new CommandError(
    `Cannot build registration image "${text}": say full or virtual`,
    exitStatus.usage,
  );
}
