import {randomUUID} from 'node:crypto';
import type {HardwareJson} from '@muster/proto/gen/muster/v1/hardware_pb.ts';
import {createCommandRunner} from '@muster/agent/commands.ts';
import {enrol} from '@muster/agent/enrol.ts';
import {createIdentity} from '@muster/agent/identity.ts';
import {describeError, type Log} from '@muster/agent/log.ts';
import {createOutbox} from '@muster/agent/outbox.ts';
import {type AgentConnection, type Login, runSession} from '@muster/agent/session.ts';
import {pause} from '@muster/agent/waits.ts';
import {uuidv7} from '@muster/runtime/ids.ts';
import {sourceAddressFor} from './addresses.ts';
import {createCountedMetrics} from './counted-metrics.ts';
import {createMisbehaviour} from './misbehaviour.ts';
import type {SessionRecord} from './ledger.ts';
import {createLoad} from './load.ts';
import type {Identity, ImageFacts, Surroundings} from './machine.ts';
import {connectMachine} from './nats-connection.ts';
import type {Booted} from './network-boot.ts';
import type {Random} from './random.ts';
import type {Statistics} from './statistics.ts';

const agentVersion = '0.1.0-simulated';
/** An hour at a sample every 10 s: 5,000 machines share one process, where a real agent keeps six hours. */
const samplesHeldMax = 360;
const revokedPauseMs = 5000;

export type RunningAgent = {
  readonly isActive: boolean;
  readonly waitingCount: number;
  sample(): void;
};

export type AgentRun = {
  readonly identity: Identity;
  readonly surroundings: Surroundings;
  readonly booted: Booted;
  readonly image: ImageFacts;
  readonly random: Random;
  readonly session: (id: string) => SessionRecord;
  readonly onStart: (agent: RunningAgent) => void;
  readonly onEnrolled: (machineId: string) => void;
};

/** How a boot ended: how long the machine stays off, in milliseconds; undefined: it was turned off for good. */
type Off = number | undefined;

/**
 * The agent of one boot, made of the parts of the real one: everything but its hardware, its host and its socket is agent/. Ends when the machine
 * goes down.
 */
export async function runAgentOnce(run: AgentRun, stopped: AbortSignal): Promise<Off> {
  const {identity: self, surroundings, image} = run;
  const {statistics} = surroundings;
  const down = new AbortController();
  const signal = AbortSignal.any([stopped, down.signal]);
  const now = () => new Date(Date.now() + self.skewMs);
  const startedMs = performance.now();
  const log = createFailureLog(statistics);
  const outbox = createOutbox(randomUUID);
  const session = run.session(uuidv7());
  const metrics = createCountedMetrics({
    session,
    newId: randomUUID,
    countMax: samplesHeldMax,
    statistics,
  });
  const load = createLoad(self.hardware(), run.random);
  let off: Off = 0;
  let send = () => {};
  let machineId = '';
  let helloIsSent = false;

  const goDown = (offMs: Off) => {
    off = offMs;
    down.abort();
  };
  const report = (hardware: HardwareJson) => {
    outbox.putInventory({collectTime: now().toISOString(), ...hardware});
    send();
  };
  const misbehaviour = createMisbehaviour({
    self,
    random: run.random,
    report,
    powerLoss: goDown,
    machineId: () => machineId,
    calm: surroundings.calm,
    signal,
  });
  const commands = createCommandRunner({
    outbox,
    host: {
      async act(action) {
        goDown(action === 'reboot' ? 0 : undefined);
      },
    },
    locator: {start: async seconds => `Its light would blink for ${seconds || 15} s`},
    collectInventory: async () => report(misbehaviour.hardware()),
    send: () => send(),
    log,
    signal,
  });
  run.onStart({
    get isActive() {
      return image.isMachineImage && helloIsSent;
    },
    get waitingCount() {
      return metrics.sampleCount;
    },
    sample() {
      const uptimeSeconds = (performance.now() - startedMs) / 1000;
      metrics.add(load.sample(now(), uptimeSeconds, session));
      misbehaviour.sampled();
      send();
    },
  });

  const bootId = randomUUID();
  const {boot} = run.booted;
  const source = (host: string) => sourceAddressFor(host, self.address);
  const localAddress = source(new URL(boot.enrollUrl).hostname);
  for (let life = 0; !signal.aborted; life++) {
    if (life > 0) await pause(revokedPauseMs, signal);
    const identity = createIdentity();
    const enrolStartedMs = performance.now();
    if (self.delayMs > 0) await pause(self.delayMs, signal);
    const enrolled = await enrol(
      {
        boot,
        tokenIsSpent: life > 0,
        identity,
        evidence: self.evidence,
        imageInputKey: image.inputKey,
        bootId,
        agentVersion,
        now,
        localAddress,
        log,
      },
      signal,
    );
    if (!enrolled) break;
    statistics.counts.enrolments++;
    statistics.timed('enrolment', performance.now() - enrolStartedMs);
    if (machineId !== '' && machineId !== enrolled.machineId) commands.reset();
    ({machineId} = enrolled);
    run.onEnrolled(machineId);
    if (life === 0) report(misbehaviour.hardware());
    const outcome = await runSession(
      {
        enrolled,
        identity,
        outbox,
        metrics,
        commands,
        localAddress,
        dial: login => dial({login, run, misbehaviour, source}, signal),
        putHello() {
          helloIsSent = true;
          statistics.counts.hellos++;
          outbox.putHello({
            bootSessionId: enrolled.boot.session,
            bootId,
            imageInputKey: image.inputKey,
            agentVersion,
            machineTime: now().toISOString(),
            uptimeSeconds: (performance.now() - startedMs) / 1000,
          });
        },
        onSender: sender => {
          send = sender;
        },
        log,
      },
      signal,
    );
    if (outcome === 'revoked') statistics.failed('the key was revoked');
  }
  down.abort();
  return off;
}

/** At the fleet's pace, and through whatever is wrong with this machine. */
async function dial(
  {
    login,
    run,
    misbehaviour,
    source,
  }: {
    readonly login: Login;
    readonly run: AgentRun;
    readonly misbehaviour: ReturnType<typeof createMisbehaviour>;
    readonly source: (host: string) => string | undefined;
  },
  signal: AbortSignal,
): Promise<AgentConnection> {
  const {connectGate, statistics} = run.surroundings;
  await connectGate.pass(signal);
  signal.throwIfAborted();
  misbehaviour.assertCable();
  const startedMs = performance.now();
  const host = login.address.slice(0, login.address.lastIndexOf(':'));
  const connection = await connectMachine(login, source(host));
  statistics.counts.logins++;
  statistics.timed('login', performance.now() - startedMs);
  return misbehaviour.through(connection);
}

/** Nobody reads 5,000 logs: what goes wrong is counted by kind. */
function createFailureLog(statistics: Statistics): Log {
  const count = (details: object, message: string) => {
    const error = 'err' in details ? `: ${describeError(details.err)}` : '';
    statistics.failed(`${message}${error}`);
  };
  return {
    info(_details, message) {
      if (message.startsWith('command: ')) statistics.counts.commands++;
      if (message === 'credential renewed') statistics.counts.renewals++;
    },
    warn: count,
    error: count,
    fatal: count,
  };
}
