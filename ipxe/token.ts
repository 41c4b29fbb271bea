import type {KeyObject} from 'node:crypto';
import {isIPv6} from 'node:net';
import {create, toJsonString} from '@bufbuild/protobuf';
import {type BootFile, BootFileSchema} from '@muster/proto/gen/muster/v1/agents_pb.ts';
import type {BootSettings} from '@muster/proto/gen/muster/v1/boot_pb.ts';
import {signToken} from '@muster/runtime/tokens.ts';
import {writeCpio} from './cpio.ts';
import type {NeighbourCheck} from './neighbours.ts';

const tokenLifetimeSeconds = 15 * 60;

/** Where a machine reached this edge. Never from a Host header. */
export type EdgeAddress = {
  /** An IPv6 address in brackets. */
  readonly host: string;
  readonly url: string;
};

export type TokenRequest = {
  readonly session: string;
  readonly macAddress: string;
  readonly ipAddress: string;
  readonly imageId: string;
  readonly uuid: string;
  readonly serial: string;
  readonly neighbour: NeighbourCheck;
};

/** `edgeUrl` when it is set, else the address of this end of the accepted socket. */
export function edgeAddress(edgeUrl: string, localAddress: string, localPort: number): EdgeAddress {
  if (edgeUrl !== '') return {host: new URL(edgeUrl).hostname, url: edgeUrl};
  const host = isIPv6(localAddress) ? `[${localAddress}]` : localAddress;
  return {host, url: `http://${host}:${localPort}`};
}

/**
 * What a boot needs to know, with a token that this edge signs itself: it works while the server is away. Proves presence on this boot
 * network and nothing more.
 */
export async function mintBootFile({
  request,
  edge,
  settings,
  issuer,
  key,
  newId,
}: {
  readonly request: TokenRequest;
  readonly edge: EdgeAddress;
  readonly settings: BootSettings;
  readonly issuer: string;
  readonly key: KeyObject;
  readonly newId: () => string;
}): Promise<BootFile> {
  const token = await signToken({
    key,
    issuer,
    purpose: 'boot',
    lifetimeSeconds: tokenLifetimeSeconds,
    claims: {
      sid: request.session,
      mac: request.macAddress,
      ip: request.ipAddress,
      img: request.imageId,
      nbr: request.neighbour.outcome,
      ...(request.neighbour.outcome === 'mismatch' ? {nmac: request.neighbour.macAddress} : {}),
      jti: newId(),
    },
  });
  const fill = (template: string) => template.replaceAll('{edge_host}', edge.host);
  return create(BootFileSchema, {
    session: request.session,
    token,
    edgeUrl: edge.url,
    tokenUrl: `${edge.url}/boot/token.json?${tokenQuery(request)}`,
    enrollUrl: fill(settings.enrollUrl),
    natsServers: settings.natsServers.map(fill),
    siteCa: settings.siteCa,
    bootMacAddress: request.macAddress,
  });
}

export function bootFileJson(file: BootFile): string {
  return `${toJsonString(BootFileSchema, file, {useProtoFieldName: true})}\n`;
}

/** `/muster/boot.json`, readable by root only. */
export function bootFileArchive(file: BootFile): Buffer {
  return writeCpio('muster', {
    name: 'boot.json',
    mode: 0o400,
    data: Buffer.from(bootFileJson(file)),
  });
}

function tokenQuery({macAddress, uuid, serial, session, imageId}: TokenRequest): string {
  return new URLSearchParams({
    mac: macAddress.replaceAll(':', '-'),
    uuid,
    serial: Buffer.from(serial, 'latin1').toString('hex'),
    session,
    image: imageId,
  }).toString();
}
