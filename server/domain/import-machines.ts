import {lockEvidence} from '../store/evidence.ts';
import type {Origin} from '../store/imports.ts';
import {updated} from './changes.ts';
import {changeLabels} from './machines.ts';
import {type Batch, eachRecord, type ImportOutcome, skipped} from './import-batch.ts';
import {
  type ForeignMachine,
  merge,
  readMachine,
  type ReadMachine,
  type TakenFields,
} from './import-rules.ts';
import {type ImportSite, openImportSite, type SiteMachine} from './import-site.ts';
import {type Evidence, type EvidenceItem, evidenceItems} from './identity.ts';
import {parseMacAddress} from './identifiers.ts';
import {machineFields, type Recognition} from './recognition.ts';

const labelPrefix = 'label ';

/** As EXPECTED machines, recognised by the same scores as every other way in. */
export async function importMachines(
  batch: Batch,
  recognition: Recognition,
  machines: readonly ForeignMachine[],
): Promise<readonly ImportOutcome[]> {
  const records = machines.map(machine => {
    const read = readMachine(machine);
    return {...machine, ...read, items: evidenceItems(read.evidence)};
  });
  // All at once and in one order: enrolments of the same machines wait, and never for ever.
  await lockEvidence(
    batch.tx,
    records.flatMap(({items}) => items),
  );
  const site = await openImportSite(batch, recognition, records);
  const outcomes = await eachRecord(records, record => importMachine(batch, site, record));
  await site.write();
  return outcomes;
}

type Record = ForeignMachine & ReadMachine & {readonly items: readonly EvidenceItem[]};

async function importMachine(
  batch: Batch,
  site: ImportSite,
  record: Record,
): Promise<ImportOutcome> {
  const {originId, items} = record;
  const origin = site.origin(originId);
  const before = origin && (await site.machine(origin.localId));
  if (before) return update({batch, site}, record, {machine: before, origin});
  if (items.length === 0)
    return skipped(originId, 'Nothing identifies it: neither its serial number nor a MAC address');

  const match = site.recognise(items);
  if (match.kind === 'conflict') return skipped(originId, match.reason);
  if (match.kind === 'none') return create(batch, site, record);
  const {machineId: localId} = match;
  const other = await site.originOf(localId);
  if (other !== undefined)
    return skipped(
      originId,
      `It cannot be told from "${other}", which became machine "${localId}"`,
    );
  const machine = await site.machine(localId);
  if (!machine) throw new Error(`Machine "${localId}" vanished while it was locked`);
  return update({batch, site}, record, {machine, origin: undefined});
}

function create(batch: Batch, site: ImportSite, record: Record): ImportOutcome {
  const {source, actor, now} = batch;
  const {originId, fields, hardware, createTime} = record;
  const {evidence, losses} = withoutOwnedMacs(site, record.evidence);
  const items = evidenceItems(evidence);
  if (items.length === 0)
    return skipped(originId, `Nothing identifies it but what others have: ${losses.join(', ')}`);
  const machine = {
    state: 'expected',
    actor,
    reason: `Brought over from ${source} by ${actor}`,
    items,
    fields: {...machineFields(evidence), ...fields, ...hardware, expected: true},
    createTime: createTime && createTime < now() ? createTime : undefined,
  } as const;
  const id = site.create(machine, fields);
  const {taken} = merge({}, flat(fields), {});
  site.putOrigin(originId, {localId: id, taken, time: now()});
  return {originId, result: 'created', id, reason: '', losses: [...record.losses, ...losses]};
}

/** A MAC is one machine's: it stays with the one that came first. */
function withoutOwnedMacs(
  site: ImportSite,
  evidence: Evidence,
): {evidence: Evidence; losses: readonly string[]} {
  const macs = evidence.macAddresses.map(parseMacAddress).filter(mac => mac !== undefined);
  const owners = new Map(
    macs.flatMap(mac => {
      const owner = site.macOwner(mac);
      return owner === undefined ? [] : [[mac, owner] as const];
    }),
  );
  const free = evidence.macAddresses.filter(mac => !owners.has(parseMacAddress(mac) ?? ''));
  return {
    evidence: {...evidence, macAddresses: free, bootMacAddress: free[0] ?? ''},
    losses: [...owners].map(
      ([mac, machineId]) => `MAC address "${mac}" belongs to machine "${machineId}"`,
    ),
  };
}

function update(
  {batch, site}: {readonly batch: Batch; readonly site: ImportSite},
  {originId, fields, losses}: Record,
  {machine, origin}: {readonly machine: SiteMachine; readonly origin: Origin | undefined},
): ImportOutcome {
  const {source, actor, now, newId} = batch;
  const {id} = machine;
  const there = flat(fields);
  const {take, kept, taken} = merge(flat(machine), there, origin?.taken ?? {});
  const set = Object.fromEntries(
    take
      .filter(name => name.startsWith(labelPrefix))
      .map(name => [name.slice(labelPrefix.length), there[name] ?? '']),
  );
  const labels = changeLabels(machine.labels, {set, remove: []});
  const change = {
    ...Object.fromEntries(
      take.filter(name => !name.startsWith(labelPrefix)).map(name => [name, there[name]]),
    ),
    ...(labels === machine.labels ? {} : {labels}),
  };
  if (take.length > 0) {
    const time = now();
    site.change(
      machine,
      {...change, updateTime: time},
      {
        id: newId(),
        time,
        type: 'machine.updated',
        actor,
        machineId: id,
        subject: `machines/${id}`,
        data: {fields: Object.keys(change), source},
        change: updated(machine, change),
      },
    );
  }
  if (!origin || JSON.stringify(taken) !== JSON.stringify(origin.taken))
    site.putOrigin(originId, {localId: id, taken, time: now()});
  const reason = [
    ...(origin ? [] : [`It is here already, as ${machine.state}`]),
    ...(kept.length > 0 ? [`Changed here and left so: ${kept.join(', ')}`] : []),
  ].join('. ');
  return {originId, result: take.length > 0 ? 'updated' : 'unchanged', id, reason, losses};
}

/** Each label is a value of its own. */
function flat({hostname, description, nixosConfig, labels}: TakenFields) {
  return {
    hostname,
    description,
    nixosConfig,
    ...Object.fromEntries(
      Object.entries(labels).map(([key, value]) => [`${labelPrefix}${key}`, value]),
    ),
  } as Readonly<{[name: string]: string}>;
}
