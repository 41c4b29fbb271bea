import {BlockList, isIP} from 'node:net';

/** From where metrics are read without a token. */
export type ScrapeNetworks = {
  readonly covers: (address: string) => boolean;
  /** For the log at start. */
  readonly toJSON: () => readonly string[];
};

/** "10.0.0.0/8", "192.0.2.7", "2001:db8::/32", and always loopback. Throws when one is no network. */
export function parseNetworks(names: readonly string[]): ScrapeNetworks {
  const blocks = new BlockList();
  blocks.addSubnet('127.0.0.0', 8, 'ipv4');
  blocks.addAddress('::1', 'ipv6');
  for (const name of names) {
    const {address, bits, family} = parseNetwork(name);
    blocks.addSubnet(address, bits, family);
  }
  return {
    covers(address) {
      const version = isIP(address);
      return version !== 0 && blocks.check(address, version === 6 ? 'ipv6' : 'ipv4');
    },
    toJSON: () => names,
  };
}

function parseNetwork(name: string) {
  const [address = '', length, ...rest] = name.split('/');
  const version = isIP(address);
  const bitsMax = version === 6 ? 128 : 32;
  const bits = length === undefined ? bitsMax : Number(length);
  const isLength = /^\d{1,3}$/.test(length ?? '0') && bits <= bitsMax;
  if (version === 0 || !isLength || rest.length > 0)
    throw new Error(`"${name}" is no network: say for example "10.0.0.0/8" or "2001:db8::/32"`);
  return {address, bits, family: version === 6 ? ('ipv6' as const) : ('ipv4' as const)};
}
