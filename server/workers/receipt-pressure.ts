/** Longer than the gaps within a burst. */
const quietMs = 20;

/** Says whether inventories are being received, so that what can wait leaves the CPU to that. */
export type ReceiptPressure = {
  /** So many more are under way, or fewer. */
  add(count: number): void;
  isBusy(): boolean;
};

export function createReceiptPressure(): ReceiptPressure {
  let underWay = 0;
  let lastMs = -Infinity;
  return {
    add(count) {
      underWay += count;
      lastMs = performance.now();
    },
    isBusy: () => underWay > 0 || performance.now() - lastMs < quietMs,
  };
}
