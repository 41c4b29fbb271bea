import {DomainError} from '../errors.ts';
import type {Sql} from '../store/db.ts';
import {lockEvidence} from '../store/evidence.ts';
import {findMachineForUpdate, type Machine, updateMachine} from '../store/machines.ts';
import {banned, type Bans} from './bans.ts';
import type {BootClient} from './boot-sessions.ts';
import type {Deps} from './deps.ts';
import {type Evidence, evidenceItems, noEvidence} from './identity.ts';
import {machineFields, macsOf, type Recognition} from './recognition.ts';
import type {Transitions} from './transitions.ts';

/** The machine that this boot request is about; undefined for strangers and for whoever cannot be told apart. */
export type IdentifyClient = (sql: Sql, client: BootClient) => Promise<string | undefined>;

export type Sightings = ReturnType<typeof createSightings>;

const noteCharactersMax = 16_384;

/** What a boot request says, as evidence. */
export function evidenceOf(client: BootClient): Evidence {
  const {uuid, serial, manufacturer, product} = client;
  const macAddresses = macsOf(client.macAddresses);
  return {
    ...noEvidence,
    uuid,
    systemSerial: serial,
    macAddresses,
    bootMacAddress: macAddresses[0] ?? '',
    manufacturer,
    product,
  };
}

export function createIdentifyClient(recognition: Recognition): IdentifyClient {
  return async (sql, client) => {
    const match = await recognition.recognise(sql, evidenceItems(evidenceOf(client)));
    return match.kind === 'match' ? match.machineId : undefined;
  };
}

/** Machines that were seen by something that proves nothing: a boot request, an old script. */
export function createSightings({
  sql,
  now,
  recognition,
  transitions,
  bans,
}: Pick<Deps, 'sql' | 'now'> & {
  readonly bans: Pick<Bans, 'find'>;
  readonly recognition: Recognition;
  readonly transitions: Transitions;
}) {
  /** The machine, made when nobody knew it; a sentence when it cannot be told apart. Throws resource_exhausted. */
  async function sight(evidence: Evidence, actor: string, note: string): Promise<Machine | string> {
    const items = evidenceItems(evidence);
    return sql.begin(async tx => {
      await lockEvidence(tx, items);
      const ban = await bans.find(tx, items);
      if (ban) return banned(ban.reason);
      const match = await recognition.recognise(tx, items);
      if (match.kind === 'conflict') return match.reason;
      if (match.kind === 'none') {
        const fields = {...machineFields(evidence), sightingNote: note, trust: 'seen'} as const;
        const reason = 'It was seen for the first time';
        return recognition.add(tx, {state: 'discovered', actor, reason, items, fields});
      }

      const machine = await findMachineForUpdate(tx, match.machineId);
      if (!machine) throw new Error(`Machine "${match.machineId}" vanished while it was locked`);
      // Whoever proves nothing alters nothing that was proven.
      if (machine.trust !== 'seen') return machine;
      if (note) await updateMachine(tx, machine.id, {sightingNote: note, updateTime: now()});
      if (machine.state !== 'expected') return machine;
      const moved = {
        machineId: machine.id,
        to: 'discovered',
        actor,
        reason: 'It was seen',
      } as const;
      return transitions.transition(tx, moved);
    });
  }

  return {
    /** Of a boot request. */
    ofBoot: (client: BootClient, actor: string) => sight(evidenceOf(client), actor, ''),

    /** Of a script without a token (`POST /api/v1/enroll`). Throws invalid_argument, failed_precondition or resource_exhausted. */
    async ofScript(script: {
      serviceTag: string;
      macAddress: string;
      note: string;
    }): Promise<Machine> {
      const {serviceTag, macAddress, note} = script;
      const macAddresses = macsOf([macAddress]);
      const evidence = {
        ...noEvidence,
        systemSerial: serviceTag,
        macAddresses,
        bootMacAddress: macAddresses[0] ?? '',
      };
      if (evidenceItems(evidence).length === 0)
        throw new DomainError(
          'invalid_argument',
          `Cannot enrol: neither service tag "${serviceTag}" nor MAC "${macAddress}" identifies a machine`,
        );
      const seen = await sight(evidence, 'anonymous', note.slice(0, noteCharactersMax));
      if (typeof seen === 'string')
        throw new DomainError('failed_precondition', `Cannot enrol: ${seen}`);
      return seen;
    },
  };
}
