import type {ServiceImpl} from '@connectrpc/connect';
import type {ImageTestService} from '@muster/proto/gen/muster/v1/image_tests_pb.ts';
import {parseFilterId} from '../domain/ids.ts';
import type {ImageGates} from '../domain/image-gates.ts';
import type {ImageTestWork} from '../domain/image-test-work.ts';
import type {ImageTests} from '../domain/image-tests.ts';
import {builderOf} from './calling-builder.ts';
import {callerKey} from './caller.ts';
import {
  firmwares,
  fromEnum,
  requireEnum,
  toArtifactInit,
  toImageMessage,
} from './image-messages.ts';
import {
  fromPlanMessage,
  imageTypes,
  outcomeOf,
  statuses,
  testTypes,
  toGateMessage,
  toImageTestMessage,
  toPlanInit,
  toUpdateMessage,
} from './image-test-messages.ts';
import {storable} from './storable.ts';
import {whileCalled} from './streams.ts';

export const imageTestService = ({
  imageTests,
  imageTestWork,
  imageGates,
}: {
  readonly imageTests: ImageTests;
  readonly imageTestWork: ImageTestWork;
  readonly imageGates: ImageGates;
}): ServiceImpl<typeof ImageTestService> => ({
  async createImageTest(request, {values}) {
    const plan = fromPlanMessage(request.plan);
    const test = await imageTests.create(values.get(callerKey).name, {
      imageId: request.imageId,
      imagePath: request.imagePath,
      imageType: fromEnum(imageTypes, request.imageType, 'image_type'),
      testType: requireEnum(testTypes, request.testType, 'test_type'),
      machine: request.machineId,
      firmwares: request.firmwares.map(value => requireEnum(firmwares, value, 'firmwares')),
      plan: {...plan, ...(plan.script ? {script: storable(plan.script, 'plan.script')} : {})},
    });
    return {imageTest: toImageTestMessage(test)};
  },

  async listImageTests(request) {
    const page = await imageTests.list({
      imageId: request.imageId || undefined,
      machineId: parseFilterId('machine_id', request.machineId),
      statuses: [request.status, ...request.statuses]
        .map(status => fromEnum(statuses, status, 'statuses'))
        .filter(status => status !== undefined),
      testType: fromEnum(testTypes, request.testType, 'test_type'),
      imageType: fromEnum(imageTypes, request.imageType, 'image_type'),
      pageSize: request.pageSize || request.limit,
      pageToken: request.pageToken,
      since: request.since,
      until: request.until,
    });
    return {imageTests: page.tests.map(toImageTestMessage), nextPageToken: page.nextPageToken};
  },

  async getImageTest({id}) {
    return {imageTest: toImageTestMessage(await imageTests.get(id))};
  },

  async cancelImageTest({id}, {values}) {
    const test = await imageTests.cancel(values.get(callerKey).name, id);
    return {imageTest: toImageTestMessage(test)};
  },

  async retryImageTest({id}, {values}) {
    const test = await imageTests.retry(values.get(callerKey).name, id);
    return {imageTest: toImageTestMessage(test)};
  },

  async getImageTestLog({id}) {
    return {text: await imageTests.log(id)};
  },

  async *watchImageTest({id}, {signal}) {
    for await (const update of whileCalled(signal, imageTests.watch(id, signal)))
      yield toUpdateMessage(update);
  },

  async getImageTestScreenshot({id}) {
    return {png: await imageTests.screenshot(id)};
  },

  async explainImageGate({machineId, imageId}) {
    return {gate: toGateMessage(await imageGates.explain(machineId, imageId))};
  },

  async claimImageTest({imageTestId}, {values}) {
    const {test, image, attempt} = await imageTestWork.claim(builderOf(values), imageTestId);
    return {
      attempt,
      ...(image ? {image: toImageMessage(image)} : {}),
      ...(test.disk ? {disk: toArtifactInit(test.disk)} : {}),
      testType: testTypes[test.testType],
      firmwares: test.firmwares.map(firmware => firmwares[firmware]),
      plan: toPlanInit(test.plan),
    };
  },

  async reportImageTest({imageTestId: testId, attempt, stage, log}, {values}) {
    const lines = log?.lines ?? [];
    return imageTestWork.report(builderOf(values), {testId, attempt, stage, lines});
  },

  async finishImageTest(request, {values}) {
    const {imageTestId: testId, attempt} = request;
    const result = outcomeOf(request);
    await imageTestWork.finish(builderOf(values), {testId, attempt, result});
    return {};
  },
});
