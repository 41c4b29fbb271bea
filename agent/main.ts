import process from 'node:process';
import {run} from '@muster/runtime/run.ts';
import {startAgent} from './app.ts';
import {loadAgentConfig} from './config.ts';
import {collectArgument} from './inventory/child.ts';
import {createConsoleLog} from './log.ts';

// The bundle is CommonJS, which has no top-level await.
void main();

async function main(): Promise<void> {
  const collect = process.argv.find(argument => argument.startsWith(collectArgument));
  if (collect !== undefined) {
    // Loaded only here, so that the resident agent does not hold the collectors.
    const {collectInventory} = await import('./inventory/collect.ts');
    const hardware = await collectInventory(collect.slice(collectArgument.length));
    process.stdout.write(`${JSON.stringify(hardware)}\n`);
    return;
  }

  const log = createConsoleLog();
  await run(log, async () =>
    startAgent({
      config: loadAgentConfig(process.env),
      ownCommand: [process.execPath, ...process.execArgv, process.argv[1] ?? ''],
      log,
    }),
  );
}
