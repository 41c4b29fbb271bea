import {Machine_State as State} from '@muster/proto/gen/muster/v1/machines_pb.ts';

/** What the lab knows about one of its machines. */
export type Situation = {
  /** Undefined while the server has not heard of it. */
  readonly state: State | undefined;
  readonly stateReason: string;
  /** This run of the lab has given it a configuration and asked for a build. */
  readonly configured: boolean;
  /** A sample was taken after this run turned it on. */
  readonly hasFreshMetrics: boolean;
  /** Since the last thing that it did: power-on, a hop of its boot, a change of state. */
  readonly silentMs: number;
};

export type Step =
  | {readonly kind: 'wait' | 'accept' | 'configure' | 'done'}
  | {readonly kind: 'power-cycle' | 'give-up'; readonly why: string};

/** Under emulation a whole boot takes up to two minutes on a loaded host; firmware alone is silent for half of one. */
const silentBootMaxMs = 300_000;
/** Muster reboots a machine that sits in the registration image by itself when its image is ready. */
const silentReadyMaxMs = 180_000;

/** What the lab does next for a machine: what an operator would. */
export function nextStep(situation: Situation): Step {
  const {state, stateReason, configured, hasFreshMetrics, silentMs} = situation;
  switch (state) {
    case undefined:
    case State.EXPECTED:
    case State.DISCOVERED:
      return patience(silentMs, silentBootMaxMs, 'it did not reach its registration image');
    case State.PENDING:
      return {kind: 'accept'};
    case State.ENROLLED:
      return {kind: configured ? 'wait' : 'configure'};
    case State.PROVISIONING:
      return {kind: 'wait'};
    case State.READY:
      return patience(silentMs, silentReadyMaxMs, 'it did not reboot into its image');
    case State.ACTIVE:
      return hasFreshMetrics
        ? {kind: 'done'}
        : patience(silentMs, silentBootMaxMs, 'it sends no metrics');
    case State.FAILED:
      return configured
        ? {kind: 'give-up', why: stateReason || 'it is FAILED'}
        : {kind: 'configure'};
    default:
      return {kind: 'give-up', why: `an operator decided otherwise: ${stateReason}`};
  }
}

const patience = (silentMs: number, limitMs: number, why: string): Step =>
  silentMs > limitMs ? {kind: 'power-cycle', why} : {kind: 'wait'};
