import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import process from 'node:process';
import {startAgent} from '@muster/agent/app.ts';
import {loadAgentConfig} from '@muster/agent/config.ts';
import {createConsoleLog} from '@muster/agent/log.ts';
import type {AgentCommandJson, CommandResultJson} from '@muster/proto/gen/muster/v1/agents_pb.ts';
import {openServerSide} from './agent-reports.ts';
import {startAgentService} from './agent-service.ts';
import {startNats} from './nats.ts';
import {startTcpGate} from './tcp-gate.ts';

const ownCommand = [process.execPath, join(import.meta.dirname, '../../agent/main.ts')];
const commandAgainMs = 200;

/** An agent's surroundings: a real nats-server, a played server, a boot.json. `settings` go on top of the test's own. */
export async function setUpAgent(settings: Readonly<Record<string, string>> = {}) {
  await using stack = new AsyncDisposableStack();
  const nats = stack.use(await startNats());
  const service = stack.use(await startAgentService(nats));
  const gate = stack.use(await startTcpGate(nats.port));
  const bus = stack.use(await openServerSide(nats));
  const directory = stack.adopt(await mkdtemp(join(tmpdir(), 'muster-agent-')), path =>
    rm(path, {recursive: true, force: true}),
  );
  const bootFile = join(directory, 'boot.json');
  const imageFile = join(directory, 'image.json');
  await writeFile(
    bootFile,
    JSON.stringify({...service.bootFile('token-1'), nats_servers: [gate.address]}),
  );
  await writeFile(imageFile, JSON.stringify({input_key: 'key-1'}));
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  const log = createConsoleLog(line => {
    lines.push(line);
    for (const look of waiting) look();
  });

  const owned = stack.move();
  return {
    nats,
    service,
    bus,
    /** Between the agent and nats-server. */
    gate,
    bootFile,
    /** What the agent has printed. */
    lines,
    /** The `count`th line, the earlier ones included, that matches. */
    async logged(pattern: RegExp, count = 1): Promise<string> {
      const {promise, resolve} = Promise.withResolvers<string>();
      const look = () => {
        const found = lines.filter(line => pattern.test(line))[count - 1];
        if (found) resolve(found);
      };
      waiting.add(look);
      look();
      const line = await promise;
      waiting.delete(look);
      return line;
    },
    start() {
      const config = loadAgentConfig({
        MUSTER_BOOT_FILE: bootFile,
        MUSTER_IMAGE_FILE: imageFile,
        MUSTER_HOST_ACTIONS: 'log',
        METRICS_INTERVAL_SECONDS: '1',
        ...settings,
      });
      return owned.use(startAgent({config, ownCommand, log}));
    },
    /** Sends the command as the server does: again and again until its result comes. */
    async commandUntilDone(
      operation: Omit<AgentCommandJson, 'commandId' | 'machineId'>,
    ): Promise<CommandResultJson | undefined> {
      const commandId = bus.command(service.machineId, operation);
      const again = setInterval(
        () => bus.command(service.machineId, operation, commandId),
        commandAgainMs,
      );
      const {result} = await bus.report(report => report.result?.commandId === commandId);
      clearInterval(again);
      return result;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
