import {BlockList, isIP, isIPv6} from 'node:net';

/** Addresses that a request of somebody's choice never goes to by itself. Private networks are not among them: that is where receivers are. */
const closedNetworks = [
  ['0.0.0.0/8', 'unspecified'],
  ['127.0.0.0/8', 'loopback'],
  ['169.254.0.0/16', 'link-local, where clouds keep their metadata'],
  ['100.100.100.200/32', 'metadata of a cloud'],
  ['168.63.129.16/32', 'metadata of a cloud'],
  ['192.0.0.0/24', 'reserved'],
  ['198.18.0.0/15', 'reserved'],
  ['224.0.0.0/4', 'multicast'],
  ['240.0.0.0/4', 'reserved or broadcast'],
  ['::/96', 'unspecified, loopback or an old form of IPv4'],
  // They hold an IPv4 address, which would have to be judged by the rules for those.
  ['64:ff9b::/96', 'translated to IPv4'],
  ['64:ff9b:1::/48', 'translated to IPv4'],
  ['2001::/32', 'a tunnel to IPv4'],
  ['2002::/16', 'a tunnel to IPv4'],
  ['::ffff:0:0:0/96', 'translated to IPv4'],
  ['100::/64', 'reserved'],
  ['fd00:ec2::254/128', 'metadata of a cloud'],
  ['fd20:ce::254/128', 'metadata of a cloud'],
  ['fe80::/10', 'link-local'],
  ['fec0::/10', 'site-local'],
  ['ff00::/8', 'multicast'],
] as const;

export type NetworkPolicy = {
  /** Why no connection may go to this address; undefined: one may. */
  refusal(address: string): string | undefined;
};

/** Denied networks win over allowed ones, and those over the closed ones. */
export function createNetworkPolicy({
  allowed,
  denied,
}: {
  readonly allowed: readonly string[];
  readonly denied: readonly string[];
}): NetworkPolicy {
  const allowedList = listOf(allowed);
  const deniedList = listOf(denied);
  const closed = closedNetworks.map(([network, why]) => ({list: listOf([network]), why}));
  return {
    refusal(address) {
      // A zone says through which interface; it changes nothing about what the address is.
      const plain = address.replace(/%.*$/, '');
      if (!isIP(plain)) return 'it is no IP address';
      if (holds(deniedList, plain)) return 'its network is denied by WEBHOOK_DENIED_NETWORKS';
      if (holds(allowedList, plain)) return undefined;
      const why = closed.find(({list}) => holds(list, plain))?.why;
      return why && `it is ${why}; WEBHOOK_ALLOWED_NETWORKS may allow it`;
    },
  };
}

/** IPv4 written as IPv6 (::ffff:a.b.c.d) is judged by the rules of IPv4, which node:net does. */
const holds = (list: BlockList, address: string): boolean =>
  list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');

/** "10.0.0.0/8" or one address. Throws when it is neither. */
export function parseNetwork(text: string): {
  readonly address: string;
  readonly prefix: number;
  readonly family: 'ipv4' | 'ipv6';
} {
  const [address = '', bits, ...rest] = text.split('/');
  const family = isIPv6(address) ? 'ipv6' : 'ipv4';
  const prefixMax = family === 'ipv6' ? 128 : 32;
  const prefix = bits === undefined ? prefixMax : /^\d{1,3}$/.test(bits) ? Number(bits) : Infinity;
  if (!isIP(address) || prefix > prefixMax || rest.length > 0)
    throw new Error(`"${text}" is no network: write 10.0.0.0/8, fd00::/8 or one address`);
  return {address, prefix, family};
}

function listOf(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const text of networks) {
    const {address, prefix, family} = parseNetwork(text);
    list.addSubnet(address, prefix, family);
  }
  return list;
}
