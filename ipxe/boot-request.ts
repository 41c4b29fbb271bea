import {create} from '@bufbuild/protobuf';
import {type BootClient, BootClientSchema} from '@muster/proto/gen/muster/v1/boot_pb.ts';
import {
  decodeFreeText,
  type MachineKeys,
  parseMacAddress,
  parseSerial,
  parseUuid,
} from './identifiers.ts';

/** Limits of muster.v1.BootClient. */
const macAddressesMax = 16;
const freeTextCharactersMax = 256;
const platformCharactersMax = 32;

/** What a boot request says about its sender. Nothing of it is trusted. */
export type BootRequest = {
  readonly keys: MachineKeys;
  readonly platform: string;
  readonly manufacturer: string;
  readonly product: string;
};

/** From the query of `/boot.ipxe`, and from the one key in `/nixos/machines/<tag>.ipxe`. */
export function parseBootRequest(query: URLSearchParams, tag?: string): BootRequest {
  const tagMac = tag === undefined ? undefined : parseMacAddress(tag);
  const tagUuid = tag === undefined || tagMac !== undefined ? undefined : parseUuid(tag);
  const tagIsSerial = tag !== undefined && tagMac === undefined && tagUuid === undefined;

  const macs = [...(tagMac === undefined ? [] : [tagMac]), ...query.getAll('mac')];
  const macAddresses = new Set(
    macs.slice(0, macAddressesMax).flatMap(mac => parseMacAddress(mac) ?? []),
  );
  const serial = query.get('serial');
  return {
    keys: {
      macAddresses: [...macAddresses],
      uuid: tagUuid ?? parseUuid(query.get('uuid') ?? ''),
      serial: tagIsSerial ? parseSerial(tag) : parseSerial(decodeFreeText(serial ?? '')),
    },
    platform: printable(query.get('platform') ?? '', platformCharactersMax),
    manufacturer: printable(decodeFreeText(query.get('manufacturer') ?? ''), freeTextCharactersMax),
    product: printable(decodeFreeText(query.get('product') ?? ''), freeTextCharactersMax),
  };
}

/** For the server: the same, with where it came from. */
export function toBootClient(request: BootRequest, ipAddress: string, session: string): BootClient {
  const {keys, platform, manufacturer, product} = request;
  return create(BootClientSchema, {
    macAddresses: [...keys.macAddresses],
    uuid: keys.uuid ?? '',
    serial: keys.serial ?? '',
    ipAddress,
    platform,
    manufacturer,
    product,
    session,
  });
}

function printable(value: string, charactersMax: number): string {
  return value.replaceAll(/[^\x20-\x7e]/g, '').slice(0, charactersMax);
}
