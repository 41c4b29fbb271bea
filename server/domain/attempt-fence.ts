import {DomainError} from '../errors.ts';

/** Less than the queue's ack_wait: a job that comes again because its builder died is never taken for a doubled one. */
const heldMs = 20_000;

/** The builder that calls: its service id, and its name in the journal. */
export type Builder = {readonly id: string; readonly actor: string};

/** Work of a builder: what it reports counts while its attempt is the current one. */
export type Attempted = {
  readonly id: string;
  readonly state: string;
  readonly attempt: number;
  readonly builderId: string | undefined;
  readonly reportTime: Date | undefined;
};

/** What a builder is told that may not go on, in the words of one kind of work ("build"). */
export const attemptFence = (noun: string) => ({
  /** Another builder was heard of a moment ago: this job is a double. */
  isHeld({state, builderId, reportTime}: Attempted, builder: Builder, now: Date): boolean {
    if (state !== 'running' || builderId === builder.id || !reportTime) return false;
    return now.getTime() - reportTime.getTime() < heldMs;
  },

  held: ({id, builderId}: Attempted): DomainError =>
    new DomainError(
      'unavailable',
      `Cannot claim ${noun} "${id}": builder "${builderId ?? ''}" is at it; try again later`,
    ),

  over: (id: string, state: string): DomainError =>
    new DomainError(
      'failed_precondition',
      `Cannot claim ${noun} "${id}": it is ${state}; drop the job`,
    ),

  stale: ({id, attempt, state}: Attempted, reported: number): DomainError =>
    new DomainError(
      'aborted',
      `Cannot report attempt ${reported} of ${noun} "${id}": it is ${state} with attempt ${attempt}; stop`,
    ),

  /** Throws when the builder's attempt is not the current one any more. */
  assertCurrent(work: Attempted, builder: Builder, attempt: number): void {
    if (work.attempt !== attempt || work.builderId !== builder.id) throw this.stale(work, attempt);
  },
});
