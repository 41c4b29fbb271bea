/** Keeps garbage collection away from work whose results are not rooted yet. */
export type StoreGate = {
  /** Work that needs the store; waits while garbage is collected. */
  use<T>(work: () => Promise<T>): Promise<T>;
  /** Runs alone. False, without running, when somebody works with the store: it can wait, they cannot. */
  tryCollect(collect: () => Promise<void>): Promise<boolean>;
};

export function createStoreGate(): StoreGate {
  let users = 0;
  let collecting: Promise<void> | undefined;

  return {
    async use(work) {
      for (let current = collecting; current; current = collecting)
        await current.catch(() => undefined);
      users += 1;
      try {
        return await work();
      } finally {
        users -= 1;
      }
    },
    async tryCollect(collect) {
      if (users > 0 || collecting) return false;
      collecting = collect().finally(() => {
        collecting = undefined;
      });
      await collecting;
      return true;
    },
  };
}
