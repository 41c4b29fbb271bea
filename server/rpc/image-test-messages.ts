import {create, type MessageInitShape} from '@bufbuild/protobuf';
import {timestampFromDate} from '@bufbuild/protobuf/wkt';
import {
  type FinishImageTestRequest,
  FinishImageTestRequest_Outcome,
  type ImageGate as ImageGateMessage,
  ImageGate_Verdict,
  ImageGateSchema,
  type ImageTest as ImageTestMessage,
  ImageTest_ImageType,
  ImageTest_Status,
  ImageTest_TestType,
  type ImageTestPlan as ImageTestPlanMessage,
  type ImageTestPlanSchema,
  type ImageTestResult as ImageTestResultMessage,
  ImageTestSchema,
  type WatchImageTestResponse,
  WatchImageTestResponseSchema,
} from '@muster/proto/gen/muster/v1/image_tests_pb.ts';
import type {ImageGate} from '../domain/image-gates.ts';
import {nextStepOf} from '../domain/image-test-rules.ts';
import type {ImageTestOutcome} from '../domain/image-test-work.ts';
import type {ImageTestUpdate} from '../domain/image-tests.ts';
import type {
  ImageTest,
  ImageTestPlan,
  ImageTestResult,
  ImageTestStatus,
  ImageTestType,
  TestedImageType,
} from '../store/image-tests.ts';
import {firmwares, fromArtifact, requireEnum, toArtifactInit} from './image-messages.ts';

export const statuses: Readonly<Record<ImageTestStatus, ImageTest_Status>> = {
  pending: ImageTest_Status.PENDING,
  running: ImageTest_Status.RUNNING,
  passed: ImageTest_Status.PASSED,
  failed: ImageTest_Status.FAILED,
  cancelled: ImageTest_Status.CANCELLED,
  error: ImageTest_Status.ERROR,
};

export const testTypes: Readonly<Record<ImageTestType, ImageTest_TestType>> = {
  boot: ImageTest_TestType.BOOT,
  hello: ImageTest_TestType.HELLO,
  network: ImageTest_TestType.NETWORK,
  service: ImageTest_TestType.SERVICE,
  script: ImageTest_TestType.SCRIPT,
};

export const imageTypes: Readonly<Record<TestedImageType, ImageTest_ImageType>> = {
  custom: ImageTest_ImageType.CUSTOM,
  registration: ImageTest_ImageType.REGISTRATION,
};

const verdicts: Readonly<Record<ImageGate['verdict'], ImageGate_Verdict>> = {
  open: ImageGate_Verdict.OPEN,
  waiting: ImageGate_Verdict.WAITING,
  closed: ImageGate_Verdict.CLOSED,
};

const outcomes: Readonly<Record<ImageTestOutcome['outcome'], FinishImageTestRequest_Outcome>> = {
  passed: FinishImageTestRequest_Outcome.PASSED,
  failed: FinishImageTestRequest_Outcome.FAILED,
  cancelled: FinishImageTestRequest_Outcome.CANCELLED,
  error: FinishImageTestRequest_Outcome.ERROR,
};

export function toImageTestMessage(test: ImageTest): ImageTestMessage {
  const {id, imageId, imagePath, machineId, builderId, attempt, actor, stage, failure} = test;
  const {screenshot, serialLog, createTime, startTime, endTime, cancelRequested} = test;
  return create(ImageTestSchema, {
    id,
    imageId: imageId ?? '',
    imagePath,
    imageType: imageTypes[test.imageType],
    testType: testTypes[test.testType],
    status: statuses[test.status],
    machineId: machineId ?? '',
    names: [...test.names],
    firmwares: test.firmwares.map(firmware => firmwares[firmware]),
    plan: toPlanInit(test.plan),
    results: test.results.map(toResultInit),
    failure,
    nextStep: nextStepOf(test),
    stage,
    ...(screenshot ? {screenshot: toArtifactInit(screenshot)} : {}),
    ...(serialLog ? {serialLog: toArtifactInit(serialLog)} : {}),
    actor,
    attempt,
    builderId: builderId ?? '',
    createTime: timestampFromDate(createTime),
    ...(startTime ? {startTime: timestampFromDate(startTime)} : {}),
    ...(endTime ? {endTime: timestampFromDate(endTime)} : {}),
    durationMs: startTime && endTime ? endTime.getTime() - startTime.getTime() : 0,
    cancelRequested,
  });
}

export const toPlanInit = ({
  units,
  ...same
}: ImageTestPlan): MessageInitShape<typeof ImageTestPlanSchema> => ({...same, units: [...units]});

export function fromPlanMessage(plan: ImageTestPlanMessage | undefined): Partial<ImageTestPlan> {
  if (!plan) return {};
  const {units, script, scriptName, resolveName, checkTimeLimitSeconds, timeLimitSeconds} = plan;
  return {units, script, scriptName, resolveName, checkTimeLimitSeconds, timeLimitSeconds};
}

const toResultInit = ({firmware, checks, ...same}: ImageTestResult) => ({
  ...same,
  firmware: firmwares[firmware],
  checks: checks.map(check => ({...check})),
});

/** PostgreSQL has no text with a zero character; a serial console and a script may write one. */
const text = (value: string): string => value.replaceAll('\0', '\uFFFD');

function fromResultMessage(message: ImageTestResultMessage): ImageTestResult {
  const {passed, durationMs, stage, failure, consoleTail, checks} = message;
  return {
    firmware: requireEnum(firmwares, message.firmware, 'result.firmware'),
    passed,
    durationMs,
    stage: text(stage),
    failure: text(failure),
    consoleTail: text(consoleTail),
    checks: checks.map(({name, passed, detail, output, exitStatus, durationMs}) => ({
      name: text(name),
      passed,
      detail: text(detail),
      output: text(output),
      ...(exitStatus === undefined ? {} : {exitStatus}),
      durationMs,
    })),
  };
}

export function outcomeOf(request: FinishImageTestRequest): ImageTestOutcome {
  const {results, error, screenshot, serialLog} = request;
  return {
    outcome: requireEnum(outcomes, request.outcome, 'outcome'),
    results: results.map(fromResultMessage),
    error: text(error),
    screenshot: screenshot && fromArtifact(screenshot),
    serialLog: serialLog && fromArtifact(serialLog),
  };
}

export function toUpdateMessage(update: ImageTestUpdate): WatchImageTestResponse {
  if ('test' in update)
    return create(WatchImageTestResponseSchema, {
      update: {case: 'imageTest', value: toImageTestMessage(update.test)},
    });
  const {time, lines} = update.log;
  return create(WatchImageTestResponseSchema, {
    update: {case: 'log', value: {time: timestampFromDate(time), lines: [...lines]}},
  });
}

export function toGateMessage(gate: ImageGate): ImageGateMessage {
  const {machineId, imageId, verdict, reason, findings, held} = gate;
  return create(ImageGateSchema, {
    machineId,
    imageId,
    verdict: verdicts[verdict],
    reason,
    held,
    requirements: findings.map(({test, origins, status, testId, explanation}) => ({
      test,
      origins: [...origins],
      ...(status ? {status: statuses[status]} : {}),
      imageTestId: testId ?? '',
      explanation,
    })),
  });
}
