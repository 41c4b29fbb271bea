import type {Command} from 'commander';
import {loadConfig} from '../config.ts';
import {runUp} from '../up/main.ts';

/** `muster up` */
export function addUpCommand(program: Command): void {
  program
    .command('up')
    .description('everything on this host: PostgreSQL, NATS, server, builder and edge')
    .addHelpText(
      'after',
      '\nExample: npm run up        (installs what is missing first; as root or through sudo)',
    )
    .action(() => runUp(loadConfig()));
}
