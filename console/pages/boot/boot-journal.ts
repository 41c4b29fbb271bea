import type {Event} from '@muster/proto/gen/muster/v1/events_pb.ts';
import type {Timestamp} from '@bufbuild/protobuf/wkt';

/** What the journal tells of one boot. */
export type JournalBoot = {
  readonly id: string;
  readonly machineId: string;
  readonly macAddress: string;
  readonly state: 'open' | 'stalled';
  readonly time: Timestamp | undefined;
};
/** What somebody decided about the boots of a machine. */
export type JournalOverride = {
  readonly machineId: string;
  readonly isEntry: boolean;
  readonly action: string;
  readonly imageId: string;
  readonly actor: string;
  readonly time: Timestamp | undefined;
};
export type BootJournal = {
  readonly boots: ReadonlyMap<string, JournalBoot>;
  readonly overrides: ReadonlyMap<string, JournalOverride>;
};

export const emptyJournal: BootJournal = {boots: new Map(), overrides: new Map()};

/** The contract has no list of boots and of decisions over all machines: their events say what there is. */
export function foldBootEvents(journal: BootJournal, events: readonly Event[]): BootJournal {
  const boots = new Map(journal.boots);
  const overrides = new Map(journal.overrides);
  for (const event of events) {
    if (event.type.startsWith('boot_session.')) foldBoot(boots, event);
    else if (event.type.startsWith('boot_override.')) foldOverride(overrides, event);
  }
  return {boots, overrides};
}

function foldBoot(boots: Map<string, JournalBoot>, event: Event): void {
  const id = event.subject.replace('boot-sessions/', '');
  if (event.type === 'boot_session.ended') {
    boots.delete(id);
    return;
  }
  const known = boots.get(id);
  boots.set(id, {
    id,
    machineId: event.machineId || (known?.machineId ?? ''),
    macAddress: textOf(event, 'macAddress') || (known?.macAddress ?? ''),
    state: event.type === 'boot_session.stalled' ? 'stalled' : 'open',
    time: known?.time ?? event.time,
  });
}

function foldOverride(overrides: Map<string, JournalOverride>, event: Event): void {
  const {type, machineId, actor, time} = event;
  // Those that are used up or over are always of one boot.
  const isEntry = event.data?.['persistent'] === true;
  const key = `${isEntry ? 'entry' : 'once'} ${machineId}`;
  // The newest decision is the last of the map.
  overrides.delete(key);
  if (type !== 'boot_override.set') return;
  const [action, imageId] = [textOf(event, 'action'), textOf(event, 'imageId')];
  overrides.set(key, {machineId, isEntry, action, imageId, actor, time});
}

function textOf({data}: Event, name: string): string {
  const value = data?.[name];
  return typeof value === 'string' ? value : '';
}
