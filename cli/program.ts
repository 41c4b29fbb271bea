import {Command} from 'commander';
import {addAuditCommands} from './commands/audit.ts';
import {addBootCommands} from './commands/boot.ts';
import {addBuildCommands} from './commands/builds.ts';
import {addBulkCommands} from './commands/bulk.ts';
import {addComponentCommands} from './commands/components.ts';
import {addConfigCommands} from './commands/config.ts';
import {addEventCommands} from './commands/events.ts';
import {addHardwareHistoryCommands} from './commands/hardware-history.ts';
import {addGroupCommands} from './commands/groups.ts';
import {addHardwareCommands} from './commands/hardware.ts';
import {addImageTestCommands} from './commands/image-tests.ts';
import {addImageCommands} from './commands/images.ts';
import {addImportCommands} from './commands/imports.ts';
import {addIssueCommands} from './commands/issues.ts';
import {addLabCommand} from './commands/lab.ts';
import {addMachineCommands} from './commands/machines.ts';
import {addMetricsCommands} from './commands/metrics.ts';
import {addOperationCommands} from './commands/operations.ts';
import {addRolloutCommands} from './commands/rollouts.ts';
import {addRuleCommands} from './commands/rules.ts';
import {addSearchCommands} from './commands/searches.ts';
import {addSimulateCommand} from './commands/simulate.ts';
import {addNatsCommands, addServiceCommands} from './commands/services.ts';
import {addPasswordCommands} from './commands/passwords.ts';
import {addSessionCommands, addSessionListCommands} from './commands/sessions.ts';
import {addTokenCommands} from './commands/tokens.ts';
import {addWebhookCommands} from './commands/webhooks.ts';
import {addTemplateCommands} from './commands/templates.ts';
import {addUpCommand} from './commands/up.ts';
import {addUserCommands} from './commands/users.ts';
import {addWorkspaceCommands} from './commands/workspaces.ts';

const epilogue = `
Credentials, the first that there is: --token or MUSTER_TOKEN; the login saved by "muster login"; on the host of "npm run up", as
root, its local token.

Exit status: 0 done, 1 failed, 2 wrong usage, 3 server unreachable, 4 not allowed, 5 not found.`;

/** The whole `muster` command. Parsing errors are thrown, never ended by an exit. */
export function createProgram(version: string): Command {
  const program = new Command('muster')
    .description('Carries machines from first power-on to service')
    .version(version)
    .option('--server <url>', 'the server (default: SERVER_URL, else http://127.0.0.1:8080)')
    .option('--token <token>', 'an access token (default: MUSTER_TOKEN, else the saved login)')
    .option('--json', 'proto-JSON for programs: one document, or JSON lines of a stream')
    .addHelpText('after', epilogue)
    .configureHelp({showGlobalOptions: true})
    .showHelpAfterError('(add --help for what it takes)')
    .exitOverride();

  addUpCommand(program);
  addLabCommand(program);
  addSimulateCommand(program);
  addSessionCommands(program);
  addMachineCommands(program);
  addGroupCommands(program);
  addBulkCommands(program);
  addRolloutCommands(program);
  addRuleCommands(program);
  addSearchCommands(program);
  addTemplateCommands(program);
  addConfigCommands(program);
  addHardwareHistoryCommands(addHardwareCommands(program));
  addComponentCommands(program);
  addIssueCommands(program);
  addBootCommands(program);
  addBuildCommands(program);
  addImageCommands(program);
  addImageTestCommands(program);
  addOperationCommands(program);
  addEventCommands(program);
  addAuditCommands(program);
  addMetricsCommands(program);
  addServiceCommands(program);
  addUserCommands(program);
  addWorkspaceCommands(program);
  addPasswordCommands(program);
  addSessionListCommands(program);
  addTokenCommands(program);
  addImportCommands(program);
  addNatsCommands(program);
  addWebhookCommands(program);
  return program;
}
