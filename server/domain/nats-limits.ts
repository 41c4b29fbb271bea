export const mebibyte = 1024 * 1024;

/** Connections are far above the fleet: NATS has no limit per user, so a stolen key could use up a tight one. */
export const accountLimits = {
  conn: 50_000,
  subs: -1,
  data: -1,
  payload: mebibyte,
  leaf: 0,
  imports: 0,
  exports: 0,
  wildcards: true,
  mem_storage: 16 * mebibyte,
  disk_storage: 2048 * mebibyte,
  streams: 16,
  consumer: 256,
};

/**
 * How often nats-server must be able to reserve the account's storage. It reserves, and takes nothing, once for each login that it works on while
 * the first account JWT arrives, and never gives back what it reserved for those that lose that race: with room for one reservation, JetStream
 * stayed disabled for good in half of the starts of a nats-server 2.9.10 that had little CPU time.
 */
const reservationsMax = 64;

/** Of nats-server, in bytes. What is really stored is bounded by the account. */
export const storageBytesMax = {
  memory: reservationsMax * accountLimits.mem_storage,
  disk: reservationsMax * accountLimits.disk_storage,
};
