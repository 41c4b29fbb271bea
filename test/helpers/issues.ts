import {randomUUID} from 'node:crypto';
import {create, type MessageInitShape} from '@bufbuild/protobuf';
import {timestampFromDate} from '@bufbuild/protobuf/wkt';
import {MetricsSchema} from '@muster/proto/gen/muster/v1/metrics_pb.ts';
import {createIssueEvaluation} from '@muster/server/domain/issue-evaluation.ts';
import {createMetrics} from '@muster/server/domain/metrics.ts';
import type {BusStatus} from '@muster/server/domain/presence.ts';
import {fromMetricsMessage} from '@muster/server/rpc/metrics-messages.ts';
import type {Database} from '@muster/server/store/db.ts';
import type {Image} from '@muster/server/store/images.ts';
import {saveLastSeen} from '@muster/server/store/presence.ts';
import {uuidv7} from '@muster/runtime/ids.ts';
import {enrolWith} from './first-inventory.ts';
import type {TestDatabases} from './postgres.ts';
import {addImage, wireMachines} from './server-machines.ts';

const retention = {samplesDays: 14, minutesDays: 90, hoursDays: 400};
export const serverVersion = '2.1.0';

export type IssueLab = Awaited<ReturnType<typeof openIssueLab>>;

/** Such a server on a database of its own. */
export async function startIssueLab(postgres: TestDatabases) {
  await using stack = new AsyncDisposableStack();
  const {sql} = stack.use(await postgres.createDatabase());
  const lab = await openIssueLab(sql);
  const owned = stack.move();
  return {...lab, [Symbol.asyncDispose]: () => owned.disposeAsync()};
}

/** One server's machines, metrics and rules for issues over a database; `passMs` is its clock. */
export async function openIssueLab(sql: Database) {
  const server = await wireMachines(sql);
  const now = () => server.clock.now;
  const metrics = createMetrics({sql, now, retention});
  let bus: BusStatus = {connected: true, since: new Date(0)};
  /** With metrics of its own: another server of the fleet, or this one after a restart. Nothing is kept but in the database. */
  const startEvaluation = (ownMetrics = createMetrics({sql, now, retention})) =>
    createIssueEvaluation({
      sql,
      now,
      issues: server.issues,
      metrics: ownMetrics,
      busStatus: () => bus,
      version: serverVersion,
    });
  const evaluation = startEvaluation(metrics);
  let serial = 0;

  const list = async (machineId: string, state: 'not_cleared' | 'any' = 'not_cleared') => {
    const filter = {source: '', kind: '', severities: [], state, muted: undefined} as const;
    return (await server.issues.list({...filter, machineId, pageSize: 0, pageToken: ''})).issues;
  };

  async function hello(
    machineId: string,
    part: {image?: Image; bootId?: string; session?: string; version?: string; skewMs?: number},
  ): Promise<void> {
    await saveLastSeen(sql, [{machineId, time: now()}]);
    await sql.begin(tx =>
      server.hellos.hear(tx, machineId, {
        bootSession: part.session ?? '',
        bootId: part.bootId ?? 'b1',
        imageInputKey: part.image?.inputKey ?? '',
        agentVersion: part.version ?? serverVersion,
        machineTime: new Date(now().getTime() + (part.skewMs ?? 0)),
        heardTime: now(),
      }),
    );
  }

  return {
    ...server,
    evaluation,
    startEvaluation,
    hello,
    now,
    passMs(ms: number) {
      server.clock.now = new Date(now().getTime() + ms);
    },
    setBus(status: BusStatus) {
      bus = status;
    },
    seen: (machineId: string) => saveLastSeen(sql, [{machineId, time: now()}]),
    look: (machineId: string) => evaluation.evaluate([machineId]),
    list,
    /** "temperature warning", of open issues; one that is over for a while says "gone". */
    open: async (machineId: string) =>
      (await list(machineId))
        .map(({kind, severity, goneTime}) => `${kind} ${severity}${goneTime ? ' gone' : ''}`)
        .toSorted(),
    /** Of the journal, oldest first. */
    told: async (machineId: string) =>
      (
        await sql<{type: string; kind: string}[]>`
          select type, data ->> 'kind' as kind from events
          where machine_id = ${machineId} and starts_with(type, 'issue.') order by sequence
        `
      ).map(({type, kind}) => `${type} ${kind}`),
    /** As an agent reports it. */
    async measure(
      machineId: string,
      metricsOfIt: Omit<MessageInitShape<typeof MetricsSchema>, '$typeName' | 'time'>,
    ) {
      await saveLastSeen(sql, [{machineId, time: now()}]);
      const message = create(MetricsSchema, {...metricsOfIt, time: timestampFromDate(now())});
      const session = {machineId, session: `run-${(serial += 1)}`, firstSequence: 0};
      const samples = [fromMetricsMessage(message)];
      await metrics.store([{...session, samples, receiveTime: now()}]);
    },
    /** ENROLLED, and heard. */
    async enrolled(): Promise<string> {
      const name = randomUUID().slice(24);
      const mac = `3c:ec:ef:${name.slice(0, 2)}:${name.slice(2, 4)}:${name.slice(4, 6)}`;
      const evidence = {systemSerial: `SN${name.toUpperCase()}`, macAddresses: [mac]};
      const {machineId} = await enrolWith(server, evidence);
      await saveLastSeen(sql, [{machineId, time: now()}]);
      return machineId;
    },
    /** Runs its desired image, and is heard. */
    async active(): Promise<{machineId: string; image: Image}> {
      const machineId = await this.enrolled();
      const image = await addImage(sql, {});
      await this.desire(machineId, image);
      await hello(machineId, {image, session: uuidv7()});
      return {machineId, image};
    },
    desire: (machineId: string, {id: imageId}: Image) =>
      sql.begin(tx => server.transitions.imageReady(tx, {machineId, imageId, actor: 'system'})),
  };
}
