import type {MessageInitShape} from '@bufbuild/protobuf';
import {timestampFromMs} from '@bufbuild/protobuf/wkt';
import {
  Service_Kind as Kind,
  type ServiceSchema,
  ServiceService,
} from '@muster/proto/gen/muster/v1/services_pb.ts';
import {Code, ConnectError} from '@connectrpc/connect';
import type {MockNoun} from './transport.ts';

/** An edge that is there and a builder that is away. A service called "taken" is there already. */
export const addServices: MockNoun = router => {
  const services: MessageInitShape<typeof ServiceSchema>[] = [
    {id: 's1', kind: Kind.EDGE, name: 'rack-12', online: true},
    {
      id: 's2',
      kind: Kind.BUILDER,
      name: 'builder-1',
      lastSeenTime: timestampFromMs(Date.now() - 600_000),
      backends: [{name: 'nix', available: false, missing: 'no nix command'}],
    },
  ];
  router.service(ServiceService, {
    listServices: () => ({services}),
    createJoinCode({name}) {
      if (name === 'taken')
        throw new ConnectError('Cannot add "taken": it has joined', Code.AlreadyExists);
      return {code: 'join-code-shown-once'};
    },
    revokeService({id}) {
      const service = services.find(service => service.id === id);
      if (service) service.revoked = true;
      return {};
    },
    getNatsConfig: () => ({config: 'jetstream {}', siteCa: 'PEM of the site', privateKey: 'no!'}),
  });
};
