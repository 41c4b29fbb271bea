import {DomainError} from '../errors.ts';
import type {Sql} from '../store/db.ts';
import type {NewEvent} from '../store/events.ts';
import type {MachineTemplate} from '../store/templates.ts';
import type {Bans} from './bans.ts';
import {type EvidenceItem, evidenceItems, noEvidence} from './identity.ts';
import type {ExpectedMachine} from './machines.ts';
import {machineFields, type Recognition} from './recognition.ts';
import {assertTemplatesFit} from './template-use.ts';

/** Machines that somebody expects, in one transaction: each finds what the one before left. */
export type Registration = {
  /** Whether the machine may be registered; nothing is written. Throws invalid_argument, already_exists, failed_precondition, not_found. */
  check(machine: ExpectedMachine): Promise<void>;
  /** After `check`. The event is the caller's to append, after `write`. */
  add(actor: string, machine: ExpectedMachine): {readonly id: string; readonly event: NewEvent};
  /** Whatever was added. */
  write(): Promise<void>;
};

/** In a transaction that holds the locks of the evidence of all these machines, or of all there is: what is known of it is asked for once. */
export async function openRegistration(
  tx: Sql,
  machines: readonly ExpectedMachine[],
  {recognition, bans}: {readonly recognition: Recognition; readonly bans: Pick<Bans, 'findAll'>},
): Promise<Registration> {
  const lists = machines.map(expectedItems);
  const batch = await recognition.batch(tx, lists);
  const banned = await bans.findAll(tx, lists);
  const known = new Map(
    machines.map((machine, index) => [machine, {items: lists[index] ?? [], ban: banned[index]}]),
  );
  const fits = new Map<string, Promise<void>>();

  /** Once for machines of the same templates: nobody changes those before the transaction ends. */
  function assertFit(templates: readonly MachineTemplate[]): Promise<void> {
    const key = JSON.stringify(templates);
    const asked = fits.get(key) ?? assertTemplatesFit(tx, templates);
    fits.set(key, asked);
    return asked;
  }

  return {
    async check(machine) {
      const {items, ban} = known.get(machine) ?? {items: [], ban: undefined};
      if (items.length === 0)
        throw new DomainError(
          'invalid_argument',
          'Cannot register a machine: a usable service_tag, uuid or MAC address is needed to recognise it',
        );
      await assertFit(machine.change.templates ?? []);
      if (ban)
        throw new DomainError(
          'failed_precondition',
          `Cannot register this machine: "${ban.value}" is banned (${ban.reason}); "muster machines unban" lets it in again`,
        );
      const match = batch.recognise(items);
      if (match.kind !== 'none')
        throw new DomainError(
          'already_exists',
          match.kind === 'match'
            ? `Cannot register this machine: it is machine "${match.machineId}"`
            : `Cannot register this machine: ${match.reason}`,
        );
    },

    add: (actor, machine) =>
      batch.add({
        state: 'expected',
        actor,
        reason: `Registered by ${actor}`,
        items: known.get(machine)?.items ?? [],
        fields: {...machineFields(evidenceOf(machine)), ...machine.change, expected: true},
      }),

    write: () => batch.write(),
  };
}

export const expectedItems = (machine: ExpectedMachine): readonly EvidenceItem[] =>
  evidenceItems(evidenceOf(machine));

const evidenceOf = ({serviceTag, uuid, macAddresses}: ExpectedMachine) => ({
  ...noEvidence,
  systemSerial: serviceTag,
  uuid,
  macAddresses,
});
