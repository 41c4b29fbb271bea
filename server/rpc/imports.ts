import {timestampDate, timestampFromDate} from '@bufbuild/protobuf/wkt';
import type {HandlerContext, ServiceImpl} from '@connectrpc/connect';
import {
  type ImportedRecord,
  type ImportMachine,
  ImportOutcome_Result,
  type ImportService,
} from '@muster/proto/gen/muster/v1/imports_pb.ts';
import type {ImportCall, ImportOutcome, ImportResult} from '../domain/import-batch.ts';
import type {ForeignMachine} from '../domain/import-rules.ts';
import type {ForeignRecord, Imports} from '../domain/imports.ts';
import {DomainError} from '../errors.ts';
import {callerKey} from './caller.ts';
import {fromMetricsMessage} from './metrics-messages.ts';
import {storable} from './storable.ts';
import {fromProtoRole} from './users.ts';

const results = {
  created: ImportOutcome_Result.CREATED,
  updated: ImportOutcome_Result.UPDATED,
  unchanged: ImportOutcome_Result.UNCHANGED,
  skipped: ImportOutcome_Result.SKIPPED,
} as const satisfies Record<ImportResult, ImportOutcome_Result>;

export const importService = (imports: Imports): ServiceImpl<typeof ImportService> => ({
  async importMachines(request, context) {
    const outcomes = await imports.machines(
      callOf(request, context),
      request.machines.map(toMachine),
    );
    return {outcomes: outcomes.map(toOutcomeMessage)};
  },

  async importGroups(request, context) {
    const outcomes = await imports.groups(callOf(request, context), request.groups);
    return {outcomes: outcomes.map(toOutcomeMessage)};
  },

  async importUsers(request, context) {
    const users = request.users.map(({role, ...user}) => ({...user, role: roleOf(role)}));
    const outcomes = await imports.users(callOf(request, context), users);
    return {outcomes: outcomes.map(toOutcomeMessage)};
  },

  async importRecords(request, context) {
    const answer = await imports.records(callOf(request, context), request.records.map(toRecord));
    return {...answer, skipped: answer.skipped.map(toOutcomeMessage)};
  },

  async importMetrics(request, context) {
    const samples = request.samples.flatMap(({machineOriginId, metrics}) =>
      metrics ? [{...fromMetricsMessage(metrics), machineOriginId}] : [],
    );
    return imports.samples(callOf(request, context), samples);
  },

  async listImportedRecords({machineId, ...page}) {
    const {records, nextPageToken} = await imports.list(machineId, page);
    return {
      records: records.map(({source, kind, originId, title, details, time}) => ({
        source,
        kind,
        originId,
        title,
        details,
        time: timestampFromDate(time),
      })),
      nextPageToken,
    };
  },
});

const callOf = (
  {source, dryRun}: {readonly source: string; readonly dryRun: boolean},
  {values}: HandlerContext,
): ImportCall => ({actor: values.get(callerKey).name, source, dryRun});

function toMachine({hardware, createTime, ...machine}: ImportMachine): ForeignMachine {
  const {cpuThreads = 0, cpuModel = '', diskCount = 0} = hardware ?? {};
  return {
    ...machine,
    hardware: {
      cpuThreads,
      cpuModel: cpuModel.replaceAll('\0', '').slice(0, 256),
      memoryBytes: Number(hardware?.memoryBytes ?? 0n),
      diskCount,
      diskBytes: Number(hardware?.diskBytes ?? 0n),
    },
    createTime: createTime && timestampDate(createTime),
  };
}

function toRecord(record: ImportedRecord): ForeignRecord {
  const {originId, kind, machineOriginId, time} = record;
  if (!time)
    throw new DomainError('invalid_argument', `Cannot keep record "${originId}" without a time`);
  return {
    originId,
    kind,
    machineOriginId,
    time: timestampDate(time),
    title: storable(record.title, 'title'),
    details: storable(record.details, 'details'),
  };
}

function roleOf(role: Parameters<typeof fromProtoRole.get>[0]) {
  const known = fromProtoRole.get(role);
  if (!known) throw new DomainError('invalid_argument', 'Cannot bring over a user: unknown role');
  return known;
}

const toOutcomeMessage = ({result, losses, ...outcome}: ImportOutcome) => ({
  ...outcome,
  result: results[result],
  losses: [...losses],
});
