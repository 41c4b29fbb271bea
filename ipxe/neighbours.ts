import {readFile} from 'node:fs/promises';
import {isIP} from 'node:net';

const freshMs = 1000;
/** ATF_COM of <linux/if_arp.h>: the entry is complete. */
const completeFlag = 0x2;

export type NeighbourCheck = {
  readonly outcome: 'match' | 'mismatch' | 'unknown';
  /** Whose the address is; undefined when the table does not say. */
  readonly macAddress: string | undefined;
};

export type Neighbours = ReturnType<typeof createNeighbours>;

/**
 * The kernel's neighbour table (proc(5), /proc/net/arp; IPv4 only), read at most once a second. A machine behind a router or a relay is
 * not in it.
 */
export function createNeighbours({
  nowMs,
  file = '/proc/net/arp',
}: {
  readonly nowMs: () => number;
  readonly file?: string;
}) {
  let table: Promise<ReadonlyMap<string, string>> | undefined;
  let readMs = -Infinity;

  function read(): Promise<ReadonlyMap<string, string>> {
    if (!table || nowMs() - readMs > freshMs) {
      readMs = nowMs();
      // Not every system has the file; then every neighbour is unknown.
      table = readFile(file, 'utf8').then(parseArpTable, () => new Map<string, string>());
    }
    return table;
  }

  return {
    async macAddressOf(ipAddress: string): Promise<string | undefined> {
      return isIP(ipAddress) === 4 ? (await read()).get(ipAddress) : undefined;
    },
    async check(ipAddress: string, macAddress: string): Promise<NeighbourCheck> {
      const seen = isIP(ipAddress) === 4 ? (await read()).get(ipAddress) : undefined;
      if (seen === undefined) return {outcome: 'unknown', macAddress: undefined};
      return {outcome: seen === macAddress ? 'match' : 'mismatch', macAddress: seen};
    },
  };
}

/** MAC by IP address, of complete entries. */
export function parseArpTable(text: string): ReadonlyMap<string, string> {
  const table = new Map<string, string>();
  for (const line of text.split('\n').slice(1)) {
    const [ip, , flags, mac] = line.trim().split(/\s+/);
    if (ip === undefined || mac === undefined || mac === '00:00:00:00:00:00') continue;
    if ((Number(flags) & completeFlag) !== 0) table.set(ip, mac.toLowerCase());
  }
  return table;
}
