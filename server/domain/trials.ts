import type {BootSession} from '../store/boot-sessions.ts';
import * as sessionStore from '../store/boot-sessions.ts';
import type {Sql} from '../store/db.ts';
import {appendEvent} from '../store/events.ts';
import {findMachineForUpdate, type Machine, updateMachine} from '../store/machines.ts';
import type {BootImages} from './boot-images.ts';
import type {Deps} from './deps.ts';
import {lifecycle} from './lifecycle.ts';
import type {BusStatus} from './presence.ts';
import type {Transitions} from './transitions.ts';

const failedTrialsMax = 2;
const batchMax = 50;

export type Trials = ReturnType<typeof createTrials>;

/** Rollback (DESIGN §6): an image that a machine fetched whole and never said hello from, twice, is bad for that machine. */
export function createTrials({
  sql,
  now,
  newId,
  images,
  transitions,
  busStatus,
  trialLimitSeconds,
}: Deps & {
  readonly images: BootImages;
  readonly transitions: Transitions;
  readonly busStatus: () => BusStatus;
  /** From the last byte of the image to the hello. */
  readonly trialLimitSeconds: number;
}) {
  /** Only silence that we would have heard the hello in counts. */
  function listenedSince(time: Date): boolean {
    const {connected, since} = busStatus();
    return connected && since <= time;
  }

  async function judge(tx: Sql, {id, fetchTime, imageId, machineId}: BootSession): Promise<void> {
    // The machine first, as a hello locks it: the other order would wait in a circle.
    const machine = machineId ? await findMachineForUpdate(tx, machineId) : undefined;
    if (!(await sessionStore.claimTrial(tx, id))) return;
    if (!machine || !fetchTime || !imageId || !listenedSince(fetchTime)) return;
    if (machine.desiredImageId !== imageId) return;
    if (machine.lastSeenTime && machine.lastSeenTime > fetchTime) return;
    const [image] = await images.find([imageId], tx);
    if (image && image.kind !== 'registration') await fail(tx, machine, imageId);
  }

  async function fail(tx: Sql, machine: Machine, imageId: string): Promise<void> {
    const failedTrials = machine.failedTrials + 1;
    const isBad = failedTrials >= failedTrialsMax;
    const badImageIds = isBad
      ? [...new Set([...machine.badImageIds, imageId])]
      : machine.badImageIds;
    await updateMachine(tx, machine.id, {failedTrials, badImageIds, updateTime: now()});
    await appendEvent(tx, {
      id: newId(),
      time: now(),
      type: isBad ? 'image.marked_bad' : 'image.trial_failed',
      actor: 'system',
      machineId: machine.id,
      subject: `images/${imageId}`,
      data: {imageId, failedTrials},
    });
    const {lastGoodImageId, state} = machine;
    const fallsBack = lastGoodImageId !== undefined && !badImageIds.includes(lastGoodImageId);
    if (!isBad || fallsBack || !lifecycle[state].to.includes('failed')) return;
    await transitions.transition(tx, {
      machineId: machine.id,
      to: 'failed',
      actor: 'system',
      reason: `Its image was fetched ${failedTrialsMax} times and never said hello; no image worked on it before. Look at its console, build another image`,
    });
  }

  return {
    /** Judges sessions whose time is over; gives their number. */
    async judgeAll(): Promise<number> {
      const before = new Date(now().getTime() - trialLimitSeconds * 1000);
      const sessions = await sessionStore.listTrials(sql, before, batchMax);
      for (const session of sessions) await sql.begin(tx => judge(tx, session));
      return sessions.length;
    },
  };
}
