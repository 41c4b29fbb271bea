import {randomUUID} from 'node:crypto';
import {uptime} from 'node:os';
import {join} from 'node:path';
import process from 'node:process';
import type {AgentHelloJson, EvidenceJson} from '@muster/proto/gen/muster/v1/agents_pb.ts';
import type {Metrics_AgentHealthJson} from '@muster/proto/gen/muster/v1/metrics_pb.ts';
import type {HardwareJson} from '@muster/proto/gen/muster/v1/hardware_pb.ts';
import {uuidv7} from '@muster/runtime/ids.ts';
import {type BootFile, readBootFile, readImageInputKey} from './boot-file.ts';
import {createCommandRunner} from './commands.ts';
import type {AgentConfig} from './config.ts';
import {enrol, isTokenSpent, markTokenSpent} from './enrol.ts';
import {collectEvidence, readEvidenceFile} from './evidence.ts';
import {readFile} from './files.ts';
import {createHost} from './host.ts';
import {createIdentity} from './identity.ts';
import {collectInChild} from './inventory/child.ts';
import {createLocator} from './locate.ts';
import {describeError, type Log} from './log.ts';
import {releaseMemory} from './memory.ts';
import {createMetricsBuffer, type MetricsBuffer} from './metrics-buffer.ts';
import {createSampler} from './metrics.ts';
import {monotonicMs} from './monotonic.ts';
import {createOutbox} from './outbox.ts';
import packageJson from './package.json' with {type: 'json'};
import {createTools} from './run-command.ts';
import {runSession} from './session.ts';
import {backoffMs, pause} from './waits.ts';

const restartFirstMs = 1000;
const restartLongestMs = 60_000;
const inventoryAttemptsMax = 5;
/** Switches announce themselves every 30 s; lldpd in a fresh boot has heard none when the first inventory is taken. */
const lldpWaitMs = 75_000;
/** The server has the inventory by then, when all is well. */
const releaseAfterMs = 5000;
const releaseEveryMs = 3_600_000;
const inventoryRetry = {firstMs: 10_000, longestMs: 120_000} as const;

type AgentOptions = {
  readonly config: AgentConfig;
  /** Program and arguments that run this agent, to which the collecting child's argument is added. */
  readonly ownCommand: readonly string[];
  readonly log: Log;
};

/** Starts the agent, which goes on until it is disposed: nothing that the server, NATS or the edge do or fail to do ends it. */
export function startAgent(options: AgentOptions): AsyncDisposable {
  const stop = new AbortController();
  const running = runAgent(options, stop.signal);
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
    },
  };
}

async function runAgent(options: AgentOptions, signal: AbortSignal): Promise<void> {
  const {config, log} = options;
  const agent = createAgent(options, signal);
  agent.takeSample();
  const sampling = setInterval(() => agent.takeSample(), config.metricsIntervalSeconds * 1000);
  const releasing = setInterval(releaseMemory, releaseEveryMs);
  for (let attempt = 0; !signal.aborted; attempt++) {
    const startedMs = monotonicMs();
    try {
      await agent.liveOnce();
    } catch (error) {
      log.error({err: error}, 'starting over');
    }
    // A life that lasted is no failed attempt.
    if (monotonicMs() - startedMs > restartLongestMs) attempt = 0;
    await pause(backoffMs(attempt, {firstMs: restartFirstMs, longestMs: restartLongestMs}), signal);
  }
  clearInterval(sampling);
  clearInterval(releasing);
}

/** What outlives an enrolment: reports that are not confirmed, samples, and the commands that were run. */
function createAgent({config, ownCommand, log}: AgentOptions, signal: AbortSignal) {
  const {root} = config;
  const tools = createTools(root);
  const outbox = createOutbox(randomUUID);
  const metrics = createMetricsBuffer({session: uuidv7(), newId: randomUUID});
  const sampler = createSampler(root, undefined, () => describeHealth(metrics));
  let send = () => {};
  let machineId: string | undefined;
  let keyIsNew = true;

  const collectInventory = shareRuns(async () => {
    const hardware = await collectInChild(ownCommand, root, signal);
    outbox.putInventory(hardware);
    log.info({collectors: hardware.collectors?.length}, 'inventory collected');
    send();
    setTimeout(releaseMemory, releaseAfterMs).unref();
    return hardware;
  });
  const commands = createCommandRunner({
    outbox,
    host: createHost({root, tools, mode: config.hostActions, log}),
    locator: createLocator({root, tools}),
    async collectInventory() {
      await collectInventory();
    },
    send: () => send(),
    log,
    signal,
  });

  return {
    takeSample(): void {
      metrics.add(sampler.sample());
      send();
    },
    /** One key: from its making until the server knows it no more. */
    async liveOnce(): Promise<void> {
      const boot = await readBootFile(config.bootFile);
      const facts = await readFacts(config, boot);
      const identity = createIdentity();
      const tokenIsSpent = !keyIsNew || (await isTokenSpent(config.bootFile, boot));
      await markTokenSpent(config.bootFile, boot, log);
      keyIsNew = false;

      log.info({session: boot.session, server: boot.enrollUrl}, 'enrolling');
      const enrolled = await enrol({boot, tokenIsSpent, identity, ...facts, log}, signal);
      if (!enrolled) return;
      log.info({state: enrolled.machineState}, `enrolled as ${enrolled.machineId}`);
      if (machineId !== undefined && machineId !== enrolled.machineId) commands.reset();
      machineId = enrolled.machineId;

      if (boot.imageTestUrl !== undefined) {
        // Loaded only here: an agent in service never needs it.
        const {imageTestUrlOf, runImageTest} = await import('./image-test.ts');
        const url = imageTestUrlOf(boot);
        const {bootFile} = config;
        if (url !== undefined) return runImageTest({boot, url, bootFile, root, tools, log}, signal);
      }
      const mayHearSwitches = tools.find('lldpcli') !== undefined;
      void collectUntilDone({collectInventory, mayHearSwitches, log}, signal);
      const outcome = await runSession(
        {
          enrolled,
          identity,
          outbox,
          metrics,
          commands,
          putHello: () => outbox.putHello(describeBoot(enrolled.boot, facts)),
          onSender: sender => {
            send = sender;
          },
          log,
        },
        signal,
      );
      if (outcome === 'revoked') log.warn({}, 'the key is revoked: enrolling with a new one');
    },
  };
}

/** What the agent itself costs, and whether it keeps up. */
function describeHealth(metrics: MetricsBuffer): Metrics_AgentHealthJson {
  const {user, system} = process.cpuUsage();
  return {
    residentBytes: String(process.memoryUsage.rss()),
    cpuSeconds: (user + system) / 1e6,
    samplesWaiting: String(metrics.sampleCount),
    samplesDropped: String(metrics.droppedCount),
  };
}

type Facts = {
  readonly evidence: EvidenceJson;
  readonly imageInputKey: string;
  readonly bootId: string;
  readonly agentVersion: string;
};

async function readFacts(config: AgentConfig, boot: BootFile): Promise<Facts> {
  const {root, evidenceFile} = config;
  const [evidence, imageInputKey, bootId] = await Promise.all([
    evidenceFile === ''
      ? collectEvidence(root, createTools(root), boot.bootMacAddress)
      : readEvidenceFile(evidenceFile),
    readImageInputKey(config.imageFile),
    readFile(join(root, 'proc/sys/kernel/random/boot_id'), 'utf8').catch(() => ''),
  ]);
  return {
    evidence,
    imageInputKey,
    bootId: bootId.trim(),
    agentVersion: packageJson.version,
  };
}

function describeBoot(boot: BootFile, facts: Facts): AgentHelloJson {
  return {
    bootSessionId: boot.session,
    bootId: facts.bootId,
    imageInputKey: facts.imageInputKey,
    agentVersion: facts.agentVersion,
    machineTime: new Date().toISOString(),
    uptimeSeconds: uptime(),
  };
}

/** Callers while a run is under way get that run. */
function shareRuns<T>(work: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | undefined;
  return () => {
    running ??= work().finally(() => {
      running = undefined;
    });
    return running;
  };
}

type Collecting = {
  readonly collectInventory: () => Promise<HardwareJson>;
  readonly mayHearSwitches: boolean;
  readonly log: Log;
};

/** After some attempts the operator may ask again; the agent's other work goes on all the while. */
async function collectUntilDone(
  {collectInventory, mayHearSwitches, log}: Collecting,
  signal: AbortSignal,
): Promise<void> {
  let waitForSwitches = mayHearSwitches;
  for (let attempt = 0; attempt < inventoryAttemptsMax && !signal.aborted; attempt++) {
    try {
      const hardware = await collectInventory();
      if (!waitForSwitches || hardware.lldpNeighbours) return;
      waitForSwitches = false;
      await pause(lldpWaitMs, signal);
    } catch (error) {
      if (signal.aborted) return;
      log.warn({attempt}, describeError(error));
      await pause(backoffMs(attempt, inventoryRetry), signal);
    }
  }
}
