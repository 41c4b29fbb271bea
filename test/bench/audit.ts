import {randomUUID} from 'node:crypto';
import {cpuUsage} from 'node:process';
import {createAudit} from '@muster/server/domain/audit.ts';
import {placeWaitingAudit} from '@muster/server/domain/audit-chain.ts';
import {createCheckpointSigner} from '@muster/server/domain/audit-checkpoints.ts';
import {updated} from '@muster/server/domain/changes.ts';
import {masterKey} from '@muster/server/secrets.ts';
import type {Database, Sql} from '@muster/server/store/db.ts';
import {appendEvent, type NewEvent} from '@muster/server/store/events.ts';
import {insertMachine, updateMachine} from '@muster/server/store/machines.ts';
import {runInCall} from '@muster/server/audited-call.ts';
import {maskMessage} from '@muster/server/rpc/mask-message.ts';
import {create} from '@bufbuild/protobuf';
import {UpdateMachineRequestSchema} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {startPostgres} from '../helpers/postgres.ts';
import {median, print} from './measure.ts';

const rounds = 9;
const mutations = 400;
const timeRatioMax = 2;
const cpuRatioMax = 2;
const verifiedRatioMax = 8;

type Cost = {readonly ms: number; readonly cpuMs: number};
type Append = (tx: Sql, event: NewEvent) => Promise<void>;

/** As the journal was written before there was an audit. */
async function appendPlain(
  tx: Sql,
  {id, time, type, actor, subject = ''}: NewEvent,
): Promise<void> {
  await tx`
    insert into events (id, time, type, actor, subject, data)
    values (${id}, ${time}, ${type}, ${actor}, ${subject}, '{}'::text::jsonb)
  `;
  await tx`select pg_notify('events', '')`;
}

/** The same in the middle of a call, with the request masked and the row before and after. */
const appendAudited: Append = (tx, event) => {
  const request = create(UpdateMachineRequestSchema, {machine: {id: event.id, hostname: 'web1'}});
  const call = {
    id: randomUUID(),
    caller: () => 'user:alice',
    scope: () => 'everywhere' as const,
    address: () => '10.0.0.1',
    method: 'MachineService.UpdateMachine',
    request: () => JSON.stringify(maskMessage(UpdateMachineRequestSchema, request)),
    elapsedMs: () => 1,
    ended: false,
    told: new WeakSet<object>(),
  };
  const change = updated({hostname: 'web0', description: ''}, {hostname: 'web1', description: 'x'});
  return runInCall(call, () => appendEvent(tx, {...event, change}));
};

async function mutate(sql: Database, machineId: string, append: Append): Promise<Cost> {
  const start = performance.now();
  const cpu = cpuUsage();
  for (let number = 0; number < mutations; number += 1)
    await sql.begin(async tx => {
      const time = new Date();
      await updateMachine(tx, machineId, {hostname: `web${number}`, updateTime: time});
      const subject = `machines/${machineId}`;
      await append(tx, {
        id: randomUUID(),
        time,
        type: 'machine.updated',
        actor: 'user:alice',
        subject,
      });
    });
  const {user, system} = cpuUsage(cpu);
  return {ms: performance.now() - start, cpuMs: (user + system) / 1000};
}

/** What the audit adds to a mutation (row, event, entry: one transaction), and how fast its chain is walked. */
export async function benchAudit(): Promise<void> {
  await using postgres = await startPostgres();
  const {sql} = postgres;
  const id = randomUUID();
  const time = new Date();
  const times = {stateTime: time, createTime: time, updateTime: time};
  await insertMachine(sql, {id, state: 'expected', ...times});
  await mutate(sql, id, appendPlain);
  await mutate(sql, id, appendAudited);

  const plain: Cost[] = [];
  const audited: Cost[] = [];
  for (let round = 0; round < rounds; round += 1) {
    plain.push(await mutate(sql, id, appendPlain));
    audited.push(await mutate(sql, id, appendAudited));
  }
  for (const [what, key, max] of [
    ['time of a mutation with the audit', 'ms', timeRatioMax],
    ['CPU of the server for it', 'cpuMs', cpuRatioMax],
  ] as const) {
    const base = median(plain.map(cost => cost[key])) / mutations;
    const value = median(audited.map(cost => cost[key])) / mutations;
    print({
      what,
      value: `${value.toFixed(3)} ms`,
      base: `${(value / base).toFixed(2)} × without it (${base.toFixed(3)} ms)`,
      limit: `≤ ${max} ×`,
      met: value / base <= max,
    });
  }
  await walk(sql);
}

async function walk(sql: Database): Promise<void> {
  const placing = performance.now();
  let placed = 0;
  for (let some = 1; some > 0; placed += some) some = await sql.begin(placeWaitingAudit);
  const placedMs = performance.now() - placing;
  const signer = createCheckpointSigner(masterKey(Buffer.alloc(32, 7)));
  const audit = createAudit({sql, signer});
  const start = performance.now();
  const steps = await Array.fromAsync(audit.verify(undefined, new AbortController().signal));
  const verifiedMs = performance.now() - start;
  const reading = performance.now();
  await sql`select * from audit_entries order by position`;
  const ratio = verifiedMs / (performance.now() - reading);
  const perSecond = ((steps.at(-1)?.checked ?? 0) / verifiedMs) * 1000;
  print({
    what: `entries verified a second (chained ${((placed / placedMs) * 1000).toFixed(0)}/s)`,
    value: perSecond.toFixed(0),
    base: `${ratio.toFixed(1)} × the time of one plain select`,
    limit: `≤ ${verifiedRatioMax} ×`,
    met: ratio <= verifiedRatioMax,
  });
}
