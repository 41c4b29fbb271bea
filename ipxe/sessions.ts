import type {Reply} from './replies.ts';

/** Silence that ends a boot session (DESIGN §4). */
export const sessionIdleMs = 120_000;
/** Machine, MAC and address of each: 100,000 boots at a time. */
const aliasesMax = 300_000;
const sweepMs = 30_000;

/** One boot of one machine, as far as this edge can tell. */
export type BootSession = {
  readonly id: string;
  /** Undefined while only an address is known: a boot loader over TFTP says no more. */
  machineId: string | undefined;
  macAddress: string | undefined;
  readonly ipAddress: string;
  /** Found under all its keys. */
  isIndexed: boolean;
  lastMs: number;
  /** The token is the last thing fetched before the kernel starts: a script asked for afterwards belongs to the next boot. */
  handedOver: boolean;
  /** The machine was sent to its own disk: it must not be lured back by a boot loader. */
  toldLocalDisk: boolean;
  /** The answer that an *ask* machine got, kept for the whole session. */
  askReply: Reply | undefined;
  lastScriptHopMs: number;
  /** How often an artifact could not be delivered. */
  undelivered: number;
};

export type SessionKeys = {
  readonly machineId?: string | undefined;
  readonly macAddress?: string | undefined;
  readonly ipAddress: string;
};

export type Sessions = ReturnType<typeof createSessions>;

/** Puts requests into boot sessions: by machine, then MAC, then address, until 120 s of silence or the next boot. */
export function createSessions({
  nowMs,
  newId,
}: {
  readonly nowMs: () => number;
  readonly newId: () => string;
}) {
  const aliases = new Map<string, BootSession>();
  let nextSweepMs = 0;

  function live(alias: string): BootSession | undefined {
    const session = aliases.get(alias);
    return session && nowMs() - session.lastMs <= sessionIdleMs ? session : undefined;
  }

  function lookUp({machineId, macAddress, ipAddress}: SessionKeys): BootSession | undefined {
    const named =
      (machineId !== undefined && live(`machine ${machineId}`)) ||
      (macAddress !== undefined && live(`mac ${macAddress}`));
    if (named) return named;

    // An address alone joins a session only as long as that session cannot be another machine's: leases move.
    const byAddress = live(`ip ${ipAddress}`);
    if (!byAddress) return undefined;
    const otherMac = macAddress !== undefined && byAddress.macAddress !== undefined;
    const otherMachine = machineId !== undefined && byAddress.machineId !== undefined;
    return otherMac || otherMachine ? undefined : byAddress;
  }

  function open(keys: SessionKeys, id: string): BootSession {
    return {
      id,
      machineId: keys.machineId,
      macAddress: keys.macAddress,
      ipAddress: keys.ipAddress,
      isIndexed: false,
      lastMs: nowMs(),
      handedOver: false,
      toldLocalDisk: false,
      askReply: undefined,
      lastScriptHopMs: -Infinity,
      undelivered: 0,
    };
  }

  function remember(session: BootSession, keys: SessionKeys) {
    session.lastMs = nowMs();
    const {machineId, macAddress, ipAddress} = session;
    if (
      session.isIndexed &&
      keys.machineId === machineId &&
      keys.macAddress === macAddress &&
      keys.ipAddress === ipAddress
    )
      return;
    session.isIndexed = true;
    session.machineId ??= keys.machineId;
    session.macAddress ??= keys.macAddress;
    if (keys.machineId !== undefined) aliases.set(`machine ${keys.machineId}`, session);
    if (keys.macAddress !== undefined) aliases.set(`mac ${keys.macAddress}`, session);
    aliases.set(`ip ${keys.ipAddress}`, session);
  }

  function sweep() {
    const now = nowMs();
    if (now >= nextSweepMs) {
      nextSweepMs = now + sweepMs;
      for (const [alias, session] of aliases)
        if (now - session.lastMs > sessionIdleMs) aliases.delete(alias);
    }
    // A flood of made-up addresses: the oldest go first.
    if (aliases.size <= aliasesMax) return;
    for (const alias of aliases.keys()) {
      if (aliases.size <= aliasesMax) break;
      aliases.delete(alias);
    }
  }

  return {
    /** Asked by something before the kernel: a boot loader or a script. Begins a new session when the last one was handed over. */
    begin(keys: SessionKeys): BootSession {
      sweep();
      const found = lookUp(keys);
      const session = found && !found.handedOver ? found : open(keys, newId());
      remember(session, keys);
      return session;
    },

    /**
     * Asked by something that belongs to a boot under way. `id` is what the machine calls its session: it is believed when this edge does
     * not know better (it may have been restarted since).
     */
    join(keys: SessionKeys, id?: string): BootSession {
      sweep();
      const session = lookUp(keys) ?? open(keys, id ?? newId());
      remember(session, keys);
      return session;
    },

    /** Without touching it. */
    find: lookUp,
  };
}
