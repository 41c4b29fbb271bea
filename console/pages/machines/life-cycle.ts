import {Machine_State as State} from '@muster/proto/gen/muster/v1/machines_pb.ts';

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

/** The way of most machines. The other states stand beside it. */
export const mainLine: readonly State[] = [
  State.DISCOVERED,
  State.PENDING,
  State.ENROLLED,
  State.PROVISIONING,
  State.READY,
  State.ACTIVE,
];

/**
 * After how long a state shows as stuck: as in server/domain/lifecycle.ts, which decides. Here it only draws the bar; `stuck_reason` of the
 * machine is what counts.
 */
export const limitSeconds: Readonly<Partial<Record<State, number>>> = {
  [State.DISCOVERED]: 15 * minute,
  [State.PENDING]: day,
  [State.ENROLLED]: 7 * day,
  [State.PROVISIONING]: 2 * hour,
  [State.READY]: 30 * minute,
  [State.MAINTENANCE]: 7 * day,
  [State.RETIRING]: day,
  [State.FAILED]: hour,
};

/** What comes next, in words, while nothing is wrong. */
export const nextSteps: Readonly<Partial<Record<State, string>>> = {
  [State.EXPECTED]: 'Let it boot from the network',
  [State.DISCOVERED]: 'Its agent reports within minutes; the boot timeline shows how far it is',
  [State.PENDING]: 'Accept it, when it is one of yours',
  [State.ENROLLED]: 'Give it a configuration and build its image',
  [State.PROVISIONING]: 'Its image is being built and boot-tested',
  [State.READY]: 'It boots its image at its next start',
  [State.MAINTENANCE]: 'Finish the maintenance, or retire it',
  [State.RETIRING]: 'It is being wiped',
  [State.RETIRED]: 'It boots its local disk; let it in again to use it',
  [State.REJECTED]: 'It boots its local disk; accept it to let it in',
  [State.FAILED]: 'Read the reason, correct the configuration or the machine, and build again',
};

/** The same for the server, which has a link. */
export const buildableStates: ReadonlySet<State> = new Set([
  State.EXPECTED,
  State.DISCOVERED,
  State.PENDING,
  State.ENROLLED,
  State.PROVISIONING,
  State.READY,
  State.ACTIVE,
  State.MAINTENANCE,
  State.FAILED,
]);
