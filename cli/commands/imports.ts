import {readFileSync} from 'node:fs';
import {type ImportedRecord, ImportedRecordSchema} from '@muster/proto/gen/muster/v1/imports_pb.ts';
import type {Command} from 'commander';
import {ConnectError} from '@connectrpc/connect';
import {collectPages, contextOf, machineIdOf, parseLimit} from '../context.ts';
import {CommandError, exitStatus} from '../exit-status.ts';
import {describeDsn, parseDsn} from '../imports/dsn.ts';
import {moveMetalEnrollment} from '../imports/metal-enrollment.ts';
import {createReport} from '../imports/report.ts';
import {openSource, readFailure} from '../imports/source.ts';
import {clock, type Column} from '../output.ts';

const examples = `
The DSN is the one of DB_DSN there. One with a password comes from --dsn-file or MUSTER_IMPORT_DSN, never as an argument: all users of
this host see arguments.

Example: muster import metal-enrollment /var/lib/metal/metal.db --dry-run
Example: MUSTER_IMPORT_DSN='postgres://metal:…@db/metal' muster import metal-enrollment --report moved.jsonl`;

/** `muster import …` */
export function addImportCommands(program: Command): void {
  const imports = program
    .command('import')
    .description('moving in: machines, groups, people and history of another system');
  imports
    .command('metal-enrollment [dsn]')
    .description('from the database of a Metal Enrollment (PostgreSQL or SQLite); may be run again')
    .option('--dry-run', 'say what would come, and change nothing')
    .option('--dsn-file <file>', 'file with the DSN')
    .option('--report <file>', 'write every record with its result there, as JSON lines')
    .option(
      '--source <name>',
      'name of this installation, when there are several',
      'metal-enrollment',
    )
    .option('--no-history', 'without builds, events, power operations, image tests and metrics')
    .addHelpText('after', examples)
    .action(fromMetalEnrollment);
  imports
    .command('history <machine>')
    .description('what was brought over of a machine: builds, events, its hardware; newest first')
    .option('--limit <n>', 'at most this many', parseLimit, 50)
    .addHelpText('after', '\nExample: muster import history ABC1234 --limit 10')
    .action(history);
}

type MoveOptions = {
  readonly dryRun?: boolean;
  readonly dsnFile?: string;
  readonly report?: string;
  readonly source: string;
  readonly history: boolean;
};

async function fromMetalEnrollment(
  argument: string | undefined,
  options: MoveOptions,
  command: Command,
): Promise<void> {
  const context = contextOf(command);
  const {clients, out, remark, signal} = context;
  const dsn = findDsn(argument, options.dsnFile, context.config.importDsn);
  const dryRun = options.dryRun === true;
  remark(`Reading ${describeDsn(dsn)}${dryRun ? '; nothing is changed' : ''}`);
  using report = createReport(out, options.report);
  await using source = await openSource(dsn);
  const move = {
    source,
    clients,
    report,
    call: {source: options.source, dryRun},
    withHistory: options.history,
    signal,
    progress: out.progress,
  };
  try {
    await moveMetalEnrollment(move);
  } catch (error) {
    // Of the server or ours; whatever else fails here is the database that is read.
    if (error instanceof CommandError || error instanceof ConnectError) throw error;
    throw readFailure(dsn, error);
  }
  const lost = report.end();
  remark('People have no password yet: "muster users reset-password NAME" makes a code for one');
  if (dryRun) remark('That was a dry run: nothing was changed');
  if (lost > 0)
    throw new CommandError(
      `${lost} records did not come over, or not whole: the report says which and why`,
    );
}

function findDsn(argument: string | undefined, file: string | undefined, environment: string) {
  if (argument !== undefined) {
    const dsn = parseDsn(argument);
    if (dsn.kind === 'postgres' && dsn.password !== '')
      throw new CommandError(
        'Cannot take a password as an argument, where all users of this host see it: change it, and give the DSN in MUSTER_IMPORT_DSN or with --dsn-file',
        exitStatus.usage,
      );
    return dsn;
  }
  const text = file === undefined ? environment : readDsn(file);
  if (text === '')
    throw new CommandError(
      'Cannot import from nowhere: give the DSN as an argument, with --dsn-file or in MUSTER_IMPORT_DSN',
      exitStatus.usage,
    );
  return parseDsn(text);
}

function readDsn(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    throw new CommandError(`Cannot use --dsn-file: ${problem}`, exitStatus.usage);
  }
}

const columns: readonly Column<ImportedRecord>[] = [
  {title: 'TIME', value: ({time}) => clock(time)},
  {title: 'KIND', value: ({kind}) => kind},
  {title: 'WHAT', value: ({title}) => title},
  {title: 'SOURCE', value: ({source}) => source},
];

async function history(
  name: string,
  {limit}: {readonly limit: number},
  command: Command,
): Promise<void> {
  const context = contextOf(command);
  const {clients, out} = context;
  const machineId = await machineIdOf(context, name);
  const records = await collectPages(context, limit, async page => {
    const answer = await clients.imports.listImportedRecords({machineId, ...page});
    return {rows: answer.records, nextPageToken: answer.nextPageToken};
  });
  out.list(ImportedRecordSchema, columns, records);
}
