import {AsyncLocalStorage} from 'node:async_hooks';

/** Whose machines are seen: everybody's, or those of some workspaces by their ids. */
export type Scope = 'everywhere' | readonly string[];

/** The call that is being served, as the audit tells it. Made for each call; the journal finds it, so that no use case can forget it. */
export type AuditedCall = {
  readonly id: string;
  /** Undefined while nobody has proved to be somebody: then the change itself says who acted. */
  readonly caller: () => string | undefined;
  readonly address: () => string;
  /** Asked anew at each use: while a stream is open, roles come and go. Nothing while nobody was let in. */
  readonly scope: () => Scope;
  /** "MachineService.AcceptMachine" */
  readonly method: string;
  /** What was asked for, as JSON without secrets. */
  readonly request: () => string | undefined;
  readonly elapsedMs: () => number;
  /** Of the last change that was written, whether its transaction was committed or not. */
  lastChangeId?: string;
  /** What runs on after it belongs to nobody's call. */
  ended: boolean;
  /** The transactions whose first entry carries the request. */
  readonly told: WeakSet<object>;
};

// The context of one call, not state of the process: empty outside of a call.
const calls = new AsyncLocalStorage<AuditedCall>();

export const runInCall = <T>(call: AuditedCall, work: () => T): T => calls.run(call, work);

/** What is done for all callers at once belongs to none of them. */
export const outsideCalls = <T>(work: () => T): T => calls.exit(work);

export function currentCall(): AuditedCall | undefined {
  const call = calls.getStore();
  return call?.ended ? undefined : call;
}

/** Of whoever calls, also for what runs on after the call; outside of any call the server itself acts, and sees everything. */
export const currentScope = (): Scope => calls.getStore()?.scope() ?? 'everywhere';
