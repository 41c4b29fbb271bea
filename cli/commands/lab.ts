import type {Command} from 'commander';
import {contextOf} from '../context.ts';
import {runLab} from '../lab/main.ts';

/** `muster lab` */
export function addLabCommand(program: Command): void {
  program
    .command('lab')
    .description(
      'the demo: four virtual machines of different makes, from first power-on to ACTIVE',
    )
    .addHelpText('after', '\nExample: npm run lab        (in a second terminal, beside npm run up)')
    .action((_options: object, command: Command) => runLab(contextOf(command)));
}
