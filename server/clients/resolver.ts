import {lookup, Resolver} from 'node:dns/promises';

const queryTimeoutMs = 2500;
const queryTries = 2;
/** getaddrinfo holds a thread of the few that also read files. */
const lookupsMax = 2;

export type Address = {readonly address: string; readonly family: 4 | 6};

/** All addresses of a name; rejects when there is none. */
export type Resolve = (hostname: string) => Promise<readonly Address[]>;

/** Asks DNS without holding a thread, so that a name server that never answers holds nobody up; what DNS does not know may stand in the hosts file. */
export function createResolve(): Resolve {
  let lookups = 0;

  async function lookUp(hostname: string): Promise<readonly Address[]> {
    if (lookups >= lookupsMax) throw new Error(`Cannot look up "${hostname}": busy`);
    lookups += 1;
    try {
      const found = await lookup(hostname, {all: true});
      return found.map(({address, family}) => ({address, family: family === 6 ? 6 : 4}));
    } finally {
      lookups -= 1;
    }
  }

  return async hostname => {
    const resolver = new Resolver({timeout: queryTimeoutMs, tries: queryTries});
    const [v4, v6] = await Promise.allSettled([
      resolver.resolve4(hostname),
      resolver.resolve6(hostname),
    ]);
    const found = [...addresses(v4, 4), ...addresses(v6, 6)];
    return found.length > 0 ? found : lookUp(hostname);
  };
}

const addresses = (
  result: PromiseSettledResult<readonly string[]>,
  family: 4 | 6,
): readonly Address[] =>
  result.status === 'fulfilled' ? result.value.map(address => ({address, family})) : [];
