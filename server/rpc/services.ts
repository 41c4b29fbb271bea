import {create} from '@bufbuild/protobuf';
import {timestampFromDate} from '@bufbuild/protobuf/wkt';
import type {ServiceImpl} from '@connectrpc/connect';
import {
  type Service,
  Service_Kind,
  ServiceSchema,
  type ServiceService,
} from '@muster/proto/gen/muster/v1/services_pb.ts';
import type {Services} from '../domain/services.ts';
import {DomainError} from '../errors.ts';
import type {ServiceKind, ServiceRow} from '../store/services.ts';
import {callerKey} from './caller.ts';

const toProtoKind = {
  edge: Service_Kind.EDGE,
  builder: Service_Kind.BUILDER,
} as const satisfies Record<ServiceKind, Service_Kind>;

const fromProtoKind: ReadonlyMap<Service_Kind, ServiceKind> = new Map([
  [Service_Kind.EDGE, 'edge'],
  [Service_Kind.BUILDER, 'builder'],
]);

/** What a caller is told about NATS beside its credential. */
export type NatsFacts = {
  /** host:port, as services reach it. */
  readonly servers: readonly string[];
  readonly siteCa: string;
  /** nats.conf, and the certificate and key of nats-server (PEM). */
  readonly config: () => {config: string; certificate: string; privateKey: string};
};

export const serviceService = (
  services: Services,
  nats: NatsFacts,
): ServiceImpl<typeof ServiceService> => ({
  async createJoinCode({kind: wanted, name}, {values}) {
    const kind = fromProtoKind.get(wanted);
    if (!kind) throw new DomainError('invalid_argument', `Cannot invite "${name}": unknown kind`);
    const actor = values.get(callerKey).name;
    const {code, expireTime} = await services.createJoinCode(actor, {kind, name});
    return {code, expireTime: timestampFromDate(expireTime)};
  },

  async joinService(request) {
    return {service: toServiceMessage({...(await services.join(request)), online: false})};
  },

  async listServices(request) {
    const page = await services.list(request);
    return {services: page.services.map(toServiceMessage), nextPageToken: page.nextPageToken};
  },

  async revokeService({id}, {values}) {
    await services.revoke(values.get(callerKey).name, id);
    return {};
  },

  async reportService({version, backends}, {values}) {
    const facts = backends.map(({name, available, missing}) => ({name, available, missing}));
    await services.report(serviceIdOf(values.get(callerKey)), {version, backends: facts});
    return {};
  },

  async issueServiceCredential(_request, {values}) {
    const issued = await services.issueCredential(serviceIdOf(values.get(callerKey)));
    return {
      natsJwt: issued.jwt,
      expiresInSeconds: issued.expiresInSeconds,
      natsServers: [...nats.servers],
      siteCa: nats.siteCa,
    };
  },

  getNatsConfig: () => ({...nats.config(), siteCa: nats.siteCa}),
});

/** The permission of these methods lets services in only, and they have an id. */
function serviceIdOf({serviceId, name}: {serviceId?: string; name: string}): string {
  if (!serviceId) throw new Error(`Caller "${name}" is no service`);
  return serviceId;
}

function toServiceMessage(row: ServiceRow & {online: boolean}): Service {
  const {id, kind, name, online, version, backends, createTime, lastSeenTime, revokeTime} = row;
  return create(ServiceSchema, {
    id,
    kind: toProtoKind[kind],
    name,
    online,
    version,
    backends: [...backends],
    createTime: timestampFromDate(createTime),
    ...(lastSeenTime ? {lastSeenTime: timestampFromDate(lastSeenTime)} : {}),
    revoked: revokeTime !== null,
  });
}
