import type {Command} from 'commander';
import {loadConfig} from '../config.ts';
import {contextOf} from '../context.ts';
import type {SimulateOptions} from '../simulate/options.ts';

/** `muster simulate` */
export function addSimulateCommand(program: Command): void {
  program
    .command('simulate')
    .description(
      'virtual machines that speak the real protocols: for tests, demos and capacity planning',
    )
    .option('--machines <n>', 'how many', '100')
    .option('--seed <text>', 'the same seed gives the same machines', '1')
    .option(
      '--faults <list>',
      'flapping, duplicate-uuid, slow, lying, failing-disk, clock-skew, each with a share as in flapping=5%; or all',
      'none',
    )
    .option('--every <time>', 'between two samples of a machine', '10s')
    .option('--for <time>', 'from when all are started; without it until Ctrl-C')
    .option('--edge <url>', 'the edge that they boot from (default: EDGE_HTTP_PORT of this host)')
    .option('--rate <n>', 'machines turned on in a second', '50')
    .option('--verify', 'compare what was sent with what the server stored')
    .option('--yes', 'although the server has machines that are not simulated')
    .option('--clean', 'remove all simulated machines, and do nothing else')
    .addHelpText(
      'after',
      `
Example: muster simulate --machines 1000 --faults all --for 10m --verify
Example: muster simulate --clean`,
    )
    .action(
      async (
        options: Partial<SimulateOptions> & Omit<SimulateOptions, 'edge'>,
        command: Command,
      ) => {
        // Loaded only here: no other command needs it.
        const {simulate} = await import('../simulate/main.ts');
        const edge = options.edge ?? `http://127.0.0.1:${loadConfig().edgePort}`;
        await simulate(contextOf(command), {...options, edge});
      },
    );
}
