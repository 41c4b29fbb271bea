import type {Sql} from '../store/db.ts';
import type {BootClient} from './boot-sessions.ts';
import {evidenceItems, noEvidence} from './identity.ts';
import {macsOf, type Recognition} from './recognition.ts';

/** The machine that this boot request is about; undefined for strangers and for whoever cannot be told apart. */
export type IdentifyClient = (sql: Sql, client: BootClient) => Promise<string | undefined>;

/** What a boot request says, as evidence. */
export function evidenceOf(client: BootClient) {
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
