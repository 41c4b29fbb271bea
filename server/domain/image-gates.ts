import {DomainError} from '../errors.ts';
import {findLiveBuild} from '../store/builds.ts';
import type {Sql} from '../store/db.ts';
import {appendEvent} from '../store/events.ts';
import * as held from '../store/held-images.ts';
import type {HeldImage} from '../store/held-images.ts';
import {findScript, type ImageTestPlan, listTestsOfImage} from '../store/image-tests.ts';
import {findImages, type Image} from '../store/images.ts';
import {findMachine, type Machine, updateMachine} from '../store/machines.ts';
import type {Deps} from './deps.ts';
import type {Groups} from './groups.ts';
import {
  type GateFinding,
  type GateVerdict,
  judgeGate,
  type MissingTest,
  missingTests,
  requirementsOf,
} from './image-gate-rules.ts';
import {completeTest, keptTestsOfImage} from './image-test-rules.ts';
import {type ImageTests, subjectOf} from './image-tests.ts';
import type {Transitions} from './transitions.ts';

const heldImagesReadMax = 1000;

export type ImageGate = GateVerdict & {
  readonly machineId: string;
  readonly imageId: string;
  readonly held: boolean;
};

type Ready = {readonly machineId: string; readonly imageId: string; readonly actor: string};

export type ImageGates = ReturnType<typeof createImageGates>;

export type ImageGatesDeps = Deps & {
  readonly groups: Pick<Groups, 'ofMachine'>;
  readonly transitions: Pick<Transitions, 'imageReady' | 'buildFailed'>;
  readonly tests: Pick<ImageTests, 'queueIn'>;
};

/**
 * Keeps an image from a machine until it has passed the tests that the machine's groups require. An image that has to wait is noted; whatever may open
 * or close a gate (the end of a test, a change of a group) is seen at the next review.
 */
export function createImageGates(deps: ImageGatesDeps) {
  const {sql, now, newId, groups, transitions, tests} = deps;

  async function judge(tx: Sql, machineId: string, image: Image): Promise<GateVerdict> {
    const requirements = requirementsOf(await groups.ofMachine(machineId, tx));
    const known =
      requirements.length > 0 ? await listTestsOfImage(tx, image.id, keptTestsOfImage) : [];
    return judgeGate(requirements, {tests: known, bootTests: image.bootTests});
  }

  /** A build's image is there: the machine gets it when it passed its gate; else it is held back, and the tests that are missing begin. */
  async function imageReady(tx: Sql, ready: Ready): Promise<void> {
    const {machineId, imageId, actor} = ready;
    const image = await imageOf(tx, imageId);
    const {verdict, reason, findings} = await judge(tx, machineId, image);
    if (verdict === 'open') {
      await held.releaseHeldImage(tx, machineId);
      await transitions.imageReady(tx, ready);
      return;
    }
    const time = now();
    const row = {machineId, imageId, actor, reason, createTime: time, updateTime: time};
    // Also one whose test failed before: the review says what comes of it.
    await held.holdImageBack(tx, {...row, verdict: 'waiting'});
    await tell(tx, {machineId, imageId, type: 'image_gate.held', reason});
    await queueMissing(tx, {machineId, image}, findings);
  }

  async function review(tx: Sql, machineId: string): Promise<void> {
    const row = await held.takeHeldImage(tx, machineId);
    if (!row) return;
    const image = await imageOf(tx, row.imageId);
    const {verdict, reason, findings} = await judge(tx, machineId, image);
    if (verdict === 'open') return open(tx, row, reason);
    if (verdict === 'waiting') await queueMissing(tx, {machineId, image}, findings);
    if (verdict === row.verdict && reason === row.reason) return;
    await held.updateHeldImage(tx, machineId, {verdict, reason, updateTime: now()});
    if (verdict === row.verdict) return noteReason(tx, machineId, reason);
    await tell(tx, {machineId, imageId: row.imageId, type: `image_gate.${verdict}`, reason});
    if (verdict === 'closed') await close(tx, row, reason);
  }

  async function open(tx: Sql, {machineId, imageId, actor}: HeldImage, reason: string) {
    await held.releaseHeldImage(tx, machineId);
    await tell(tx, {machineId, imageId, type: 'image_gate.opened', reason});
    await transitions.imageReady(tx, {machineId, imageId, actor});
  }

  /** A machine that waits for another build by now is told of that one. */
  async function close(tx: Sql, {machineId, imageId}: HeldImage, reason: string): Promise<void> {
    if (await findLiveBuild(tx, {machineId})) return;
    const why = `Image "${imageId.slice(0, 12)}" did not pass its gate: ${reason}`;
    await transitions.buildFailed(tx, {machineId, actor: 'system', reason: why});
  }

  async function queueMissing(
    tx: Sql,
    {machineId, image}: {readonly machineId: string; readonly image: Image},
    findings: readonly GateFinding[],
  ): Promise<void> {
    for (const missing of missingTests(findings)) {
      const plan = await planOf(tx, missing);
      if (!plan) continue;
      const {testType} = missing;
      const firmwares = testType === 'boot' ? missing.firmwares : [];
      const complete = completeTest({testType, firmwares, plan, isDisk: false});
      const order = {...subjectOf(image), ...complete, testType, machineId, actor: 'system'};
      try {
        await tests.queueIn(tx, order);
      } catch (error) {
        // As many as may wait do: the next review tries again.
        if (!(error instanceof DomainError && error.kind === 'resource_exhausted')) throw error;
      }
    }
  }

  async function tell(
    tx: Sql,
    told: {
      readonly machineId: string;
      readonly imageId: string;
      readonly type: string;
      readonly reason: string;
    },
  ): Promise<void> {
    const {machineId, imageId, type, reason} = told;
    await noteReason(tx, machineId, reason);
    await appendEvent(tx, {
      id: newId(),
      time: now(),
      type,
      actor: 'system',
      machineId,
      subject: `images/${imageId}`,
      data: {reason},
    });
  }

  /** While it is PROVISIONING, the machine itself says what it waits for. */
  async function noteReason(tx: Sql, machineId: string, reason: string): Promise<void> {
    const machine = await findMachine(tx, machineId);
    if (machine?.state !== 'provisioning') return;
    const stateReason = `Its image is built. ${reason}`;
    await updateMachine(tx, machineId, {stateReason, updateTime: now()});
  }

  return {
    imageReady,

    /** Every image that is held back is looked at again. */
    async review(): Promise<void> {
      for (const {machineId} of await held.listHeldImages(sql, heldImagesReadMax))
        await sql.begin(tx => review(tx, machineId));
    },

    /** Throws not_found. `imageId` empty: the image that is held back, else the one that the machine is to have. */
    async explain(machineId: string, imageId: string): Promise<ImageGate> {
      const machine = await findMachine(sql, machineId);
      if (!machine) throw new DomainError('not_found', `Cannot find machine "${machineId}"`);
      const row = await held.findHeldImage(sql, machineId);
      const id = imageId || imageToExplain(machine, row);
      const [image] = await findImages(sql, [id]);
      if (!image) throw new DomainError('not_found', `Cannot find image "${id}"`);
      const verdict = await judge(sql, machineId, image);
      return {...verdict, machineId, imageId: id, held: row?.imageId === id};
    },
  };
}

/** Undefined when nobody has ever run a script of this name: somebody has to do so by hand. */
async function planOf(tx: Sql, missing: MissingTest): Promise<Partial<ImageTestPlan> | undefined> {
  if (missing.testType === 'service') return {units: missing.units};
  if (missing.testType === 'script') return findScript(tx, missing.scriptName);
  return {};
}

async function imageOf(tx: Sql, imageId: string): Promise<Image> {
  const [image] = await findImages(tx, [imageId]);
  if (!image) throw new Error(`Image "${imageId}" is named and not there`);
  return image;
}

function imageToExplain(machine: Machine, row: HeldImage | undefined): string {
  const id = row?.imageId ?? machine.desiredImageId;
  if (id !== undefined) return id;
  throw new DomainError(
    'not_found',
    `Cannot explain the gate of machine "${machine.id}": no image was built for it yet; name one`,
  );
}
