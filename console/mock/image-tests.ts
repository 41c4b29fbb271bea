import type {Message, MessageInitShape} from '@bufbuild/protobuf';
import {timestampFromMs} from '@bufbuild/protobuf/wkt';
import {
  type CreateImageTestRequest,
  ImageGate_Verdict as Verdict,
  ImageTest_Status as Status,
  ImageTest_TestType as TestType,
  type ImageTestSchema,
  ImageTestService,
} from '@muster/proto/gen/muster/v1/image_tests_pb.ts';
import {BootTest_Firmware as Firmware} from '@muster/proto/gen/muster/v1/images_pb.ts';
import {Code, ConnectError} from '@connectrpc/connect';
import {imageId} from './images.ts';
import {mockMachine} from './machines.ts';
import type {MockNoun} from './transport.ts';

type TestInit = Exclude<MessageInitShape<typeof ImageTestSchema>, Message> & {
  readonly id: string;
};

export const imageTestId = (number: number): string =>
  `00000000-0000-7000-8002-${String(number).padStart(12, '0')}`;
const machineId = '00000000-0000-7000-8000-000000000001';
const start = Date.UTC(2026, 5, 1);

const base = (number: number, status: Status) => ({
  id: imageTestId(number),
  imageId,
  imagePath: `/images/${imageId}`,
  status,
  actor: 'user:ada',
  attempt: 1,
  createTime: timestampFromMs(start),
});

const some = (): TestInit[] => [
  {
    ...base(1, Status.RUNNING),
    testType: TestType.BOOT,
    firmwares: [Firmware.BIOS, Firmware.UEFI],
    names: ['boot-bios', 'boot-uefi'],
    stage: 'network up',
    nextStep: 'Watch it: "muster image-tests log 1 --follow"',
    results: [{firmware: Firmware.BIOS, passed: true, durationMs: 14_000, stage: 'agent started'}],
  },
  {
    ...base(2, Status.FAILED),
    testType: TestType.SERVICE,
    machineId,
    actor: 'system',
    firmwares: [Firmware.BIOS],
    names: ['service:sshd.service', 'service:nginx.service'],
    plan: {units: ['sshd.service', 'nginx.service']},
    failure: 'unit nginx.service is failed',
    nextStep: "Correct the unit in the image's configuration and build again",
    durationMs: 32_000,
    screenshot: {name: 'screen.png', sha256: '9'.repeat(64), sizeBytes: 4n},
    results: [
      {
        firmware: Firmware.BIOS,
        passed: false,
        durationMs: 32_000,
        stage: 'agent started',
        failure: 'unit nginx.service is failed',
        consoleTail: 'login:',
        checks: [
          {name: 'unit sshd.service', passed: true, detail: 'active', durationMs: 800},
          {
            name: 'unit nginx.service',
            passed: false,
            detail: 'failed',
            output: 'nginx: [emerg] no "ssl_certificate" is defined',
          },
        ],
      },
    ],
  },
  {
    ...base(3, Status.PASSED),
    testType: TestType.HELLO,
    firmwares: [Firmware.UEFI],
    names: ['hello'],
    durationMs: 21_000,
    results: [{firmware: Firmware.UEFI, passed: true, durationMs: 21_000}],
  },
];

function gateOf(machineId: string) {
  if (machineId === mockMachine(5).id)
    throw new ConnectError('Cannot explain the gate: no image was built yet', Code.NotFound);
  return {
    machineId,
    imageId,
    verdict: Verdict.CLOSED,
    held: true,
    reason: 'It failed service:nginx.service (required by group web-servers)',
    requirements: [
      {
        test: 'boot-uefi',
        origins: ['group web-servers'],
        status: Status.PASSED,
        explanation: 'Passed in the boot tests of its build',
      },
      {
        test: 'service:nginx.service',
        origins: ['group web-servers', 'group rack7'],
        status: Status.FAILED,
        imageTestId: imageTestId(2),
        explanation: `Failed in test "${imageTestId(2)}": unit nginx.service is failed`,
      },
    ],
  };
}

/** What was asked of CreateImageTest. */
export const createdTests: CreateImageTestRequest[] = [];

/** 1 runs, 2 failed for a machine because of a unit, 3 passed. For machine 5 no image was built. The machine "fail" fails the list, the path "/images/away" the start. */
export const addImageTests: MockNoun = router => {
  const tests = new Map(some().map(test => [test.id, test]));
  createdTests.length = 0;
  const find = (id: string): TestInit => {
    const test = tests.get(id);
    if (!test) throw new ConnectError(`Cannot find image test "${id}"`, Code.NotFound);
    return test;
  };
  const add = (like: Pick<TestInit, 'testType' | 'firmwares' | 'plan'>) => {
    const imageTest = {...like, ...base(tests.size + 1, Status.PENDING)};
    tests.set(imageTest.id, imageTest);
    return {imageTest};
  };
  router.service(ImageTestService, {
    listImageTests({machineId: of, status, testType, imageId}) {
      if (of === 'fail') throw new ConnectError('The database is away', Code.Internal);
      const imageTests = [...tests.values()].filter(
        test =>
          (status === Status.UNSPECIFIED || test.status === status) &&
          (testType === TestType.UNSPECIFIED || test.testType === testType) &&
          (imageId === '' || test.imageId === imageId) &&
          (of === '' || test.machineId === of),
      );
      return {imageTests};
    },
    getImageTest: ({id}) => ({imageTest: find(id)}),
    createImageTest(request) {
      if (request.imagePath === '/images/away')
        throw new ConnectError(
          'Cannot test "/images/away": there is no such file; put it into the folder "images"',
          Code.NotFound,
        );
      createdTests.push(request);
      const {testType, firmwares} = request;
      return add({testType, firmwares, plan: {units: request.plan?.units ?? []}});
    },
    cancelImageTest({id}) {
      const imageTest = {...find(id), cancelRequested: true};
      tests.set(id, imageTest);
      return {imageTest};
    },
    retryImageTest({id}) {
      const {testType = TestType.BOOT, firmwares = [], plan = {}} = find(id);
      return add({testType, firmwares, plan});
    },
    async *watchImageTest({id}) {
      yield {update: {case: 'imageTest', value: find(id)}};
      const lines = [
        'iPXE 1.21',
        '\u001b[32mMUSTER network up\u001b[0m',
        'Starting nginx\u0017',
        '\r\u001b[K\u001b[31mFAILED\u001b[0m nginx',
      ];
      yield {update: {case: 'log', value: {time: timestampFromMs(start), lines}}};
    },
    getImageTestScreenshot: () => ({png: Uint8Array.of(0x89, 0x50, 0x4e, 0x47)}),
    explainImageGate: ({machineId}) => ({gate: gateOf(machineId)}),
  });
};
