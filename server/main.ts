import process from 'node:process';
import {createLogger} from '@muster/runtime/log.ts';
import {run} from '@muster/runtime/run.ts';
import {startServer} from './app.ts';
import {printSetupLink, resetAdministrator, writeNatsConfig} from './commands.ts';
import {describeConfig, loadConfig} from './config.ts';

const usage = `Usage:
  server/main.ts                                   serve
  server/main.ts nats-config <folder> [--listen host:port] [--data folder]
                                                   write nats.conf and its certificates
  server/main.ts setup-link                        print a new one-time link for an administrator
  server/main.ts admin-reset <username>            make or repair an administrator, with a new password
Settings: environment and MUSTER_CONFIG, see docs/configuration.md
`;

const [command, ...options] = process.argv.slice(2);

try {
  const config = loadConfig();
  if (command === undefined) {
    const log = createLogger('server', config.logLevel);
    log.info({settings: describeConfig(config)}, 'starting');
    await run(log, () => startServer(config, log));
  } else if (command === 'nats-config') {
    process.stdout.write(await writeNatsConfig(config, options));
  } else if (command === 'setup-link' && options.length === 0) {
    process.stdout.write(await printSetupLink(config));
  } else if (command === 'admin-reset' && options.length === 1) {
    process.stdout.write(await resetAdministrator(config, options[0] ?? ''));
  } else {
    process.stderr.write(usage);
    process.exitCode = 2;
  }
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
