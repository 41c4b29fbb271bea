import type {MessageInitShape} from '@bufbuild/protobuf';
import {timestampFromMs} from '@bufbuild/protobuf/wkt';
import {
  type BuildSchema,
  BuildService,
  Diagnostic_Kind,
} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import {
  BootTest_Firmware,
  Image_Kind,
  Image_Variant,
} from '@muster/proto/gen/muster/v1/images_pb.ts';
import {Operation_State as State} from '@muster/proto/gen/muster/v1/operations_pb.ts';
import {Code, ConnectError} from '@connectrpc/connect';
import type {MockNoun} from './transport.ts';

type BuildInit = MessageInitShape<typeof BuildSchema>;

export const buildId = (number: number): string =>
  `00000000-0000-7000-8001-${String(number).padStart(12, '0')}`;
const machineId = (number: number): string =>
  `00000000-0000-7000-8000-${String(number).padStart(12, '0')}`;
const start = Date.UTC(2026, 5, 1);
const at = (seconds: number) => timestampFromMs(start + seconds * 1000);

const base = (number: number, state: State) => ({
  id: buildId(number),
  kind: Image_Kind.MACHINE,
  variant: Image_Variant.FULL,
  backend: 'nix',
  machineId: machineId(number),
  attempt: 1,
  operation: {
    id: buildId(number),
    kind: 'build',
    state,
    actor: 'user:ada',
    createTime: at(0),
    startTime: at(1),
    steps: [
      {name: 'evaluate', state: State.SUCCEEDED, startTime: at(1), endTime: at(5)},
      {name: 'build', state, startTime: at(5), ...(state !== State.RUNNING && {endTime: at(65)})},
    ],
    ...(state !== State.RUNNING && {endTime: at(65)}),
  },
});

/** What the mock was asked for: "listBuilds 4 0 24h web". */
export const buildCalls: string[] = [];

/** 1 runs, 2 failed because of its configuration and at a boot test, 3 was in the store. "fail" as a machine fails the list. */
export const addBuilds: MockNoun = router => {
  buildCalls.length = 0;
  const running = base(1, State.RUNNING);
  const failed = {
    ...base(2, State.FAILED),
    diagnostics: [
      {
        kind: Diagnostic_Kind.UNKNOWN_OPTION,
        message: 'The option "services.nginx.enabel" does not exist',
        line: 3,
        column: 5,
      },
    ],
    bootTests: [
      {
        firmware: BootTest_Firmware.UEFI,
        passed: false,
        failure: 'Kernel panic after 9 s',
        consoleTail: '\u001b[31mKernel panic\u001b[0m - not syncing',
      },
    ],
  };
  const cached = {...base(3, State.SUCCEEDED), cached: true, imageId: 'a'.repeat(64)};
  const builds = new Map<string, BuildInit>(
    [running, failed, cached].map(build => [build.id, build]),
  );
  let lastNumber = 3;

  const find = (id: string): BuildInit => {
    const build = builds.get(id);
    if (!build) throw new ConnectError(`Cannot find build "${id}"`, Code.NotFound);
    return build;
  };
  router.service(BuildService, {
    listBuilds({machineId, states, kind, since, template}) {
      if (machineId === 'fail') throw new ConnectError('The database is away', Code.Internal);
      buildCalls.push(`listBuilds ${states.join()} ${kind} ${since} ${template}`.trim());
      const found = [...builds.values()].filter(
        ({operation}) => states.length === 0 || states.some(state => state === operation?.state),
      );
      return {builds: found, totalSize: found.length};
    },
    getBuild: ({id}) => ({build: find(id)}),
    createBuild({machineId}) {
      lastNumber += 1;
      const build = {...base(lastNumber, State.RUNNING), machineId};
      builds.set(buildId(lastNumber), build);
      return {build};
    },
    cancelBuild({id}) {
      const build = {...running, operation: {...running.operation, cancelRequested: true}};
      builds.set(id, build);
      return {build};
    },
    async *watchBuild({id}) {
      yield {update: {case: 'build', value: find(id)}};
      yield {
        update: {
          case: 'log',
          value: {time: at(6), lines: ['evaluating', '\u001b[31merror:\u001b[0m no such option']},
        },
      };
    },
  });
};
