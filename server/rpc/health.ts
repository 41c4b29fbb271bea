import {setTimeout as sleep} from 'node:timers/promises';
import {Code, ConnectError, type ConnectRouter, type ServiceImpl} from '@connectrpc/connect';
import {
  Health,
  HealthCheckResponse_ServingStatus as Status,
} from '@muster/proto/gen/grpc/health/v1/health_pb.ts';
import type {Readiness} from '@muster/runtime/health.ts';

const watchIntervalMs = 1000;

/** For the services that the router has by now. */
export function addHealth(router: ConnectRouter, readiness: () => Readiness): void {
  const serviceNames = new Set(router.handlers.map(({service}) => service.typeName));
  router.service(Health, healthService({readiness, serviceNames}));
}

/** grpc.health.v1: the server as a whole ("") and each served service are SERVING while every readiness check holds. */
function healthService({
  readiness,
  serviceNames,
}: {
  readiness: () => Readiness;
  serviceNames: ReadonlySet<string>;
}): ServiceImpl<typeof Health> {
  const statusOf = (service: string) => {
    if (service !== '' && !serviceNames.has(service)) return undefined;
    return Object.values(readiness()).every(Boolean) ? Status.SERVING : Status.NOT_SERVING;
  };

  return {
    check({service}) {
      const status = statusOf(service);
      if (status === undefined)
        throw new ConnectError(`Cannot check "${service}": no such service`, Code.NotFound);
      return {status};
    },

    list() {
      const status = statusOf('') ?? Status.UNKNOWN;
      return {statuses: Object.fromEntries(['', ...serviceNames].map(name => [name, {status}]))};
    },

    /** Every change, until the caller leaves; an unknown service may come into being later, so the contract says. */
    async *watch({service}, {signal}) {
      let last: Status | undefined;
      while (!signal.aborted) {
        const status = statusOf(service) ?? Status.SERVICE_UNKNOWN;
        if (status !== last) yield {status};
        last = status;
        await sleep(watchIntervalMs, undefined, {signal}).catch(() => undefined);
      }
    },
  };
}
