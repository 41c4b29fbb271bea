import {
  type ValidateConfigResponse,
  ValidateConfigResponse_Phase,
  ValidateConfigResponseSchema,
} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import type {Command} from 'commander';
import {contextOf} from '../context.ts';
import {describeDiagnostic} from '../diagnostics.ts';
import {CommandError} from '../exit-status.ts';
import {readText} from '../image-config.ts';

/** `muster config …` */
export function addConfigCommands(program: Command): void {
  const config = program.command('config').description('NixOS modules that machines shall run');
  config
    .command('validate [file]')
    .description('check a NixOS module without building it; exit status 1 when something is wrong')
    .option('--machine <machine>', 'with the templates and facts of this machine')
    .option('--syntax-only', 'only the syntax: no builder is asked')
    .addHelpText(
      'after',
      `
Without a file the machine's own configuration is checked; - reads standard input.
Prints file:line:column: message for each thing that is wrong.
Example: muster config validate web.nix --machine ABC1234`,
    )
    .action(validate);
}

async function validate(
  file: string | undefined,
  options: {readonly machine?: string; readonly syntaxOnly?: boolean},
  command: Command,
): Promise<void> {
  const {clients, out, remark, signal} = contextOf(command);
  const answers = clients.builds.validateConfig(
    {
      machineId: options.machine ?? '',
      ...(file === undefined ? {} : {nixosConfig: readText(file)}),
      syntaxOnly: options.syntaxOnly ?? false,
    },
    {signal},
  );
  let last: ValidateConfigResponse | undefined;
  for await (const answer of answers) {
    last = answer;
    if (out.json) {
      out.jsonLine(ValidateConfigResponseSchema, answer);
      continue;
    }
    const name = file === undefined || file === '-' ? 'nixos_config' : file;
    for (const diagnostic of answer.diagnostics) out.line(describeDiagnostic(diagnostic, name));
    if (answer.diagnostics.length === 0) remark(describeClean(answer));
  }
  if (!last) throw new CommandError('The stream ended before it said anything: try again');
  const count = last.diagnostics.length;
  if (count > 0)
    throw new CommandError(count === 1 ? 'One thing is wrong' : `${count} things are wrong`);
}

function describeClean({phase, durationMs}: ValidateConfigResponse): string {
  const what = phase === ValidateConfigResponse_Phase.SYNTAX ? 'Syntax' : 'Evaluation';
  return `${what}: nothing wrong (${durationMs} ms)`;
}
