/** Longer than the gaps within a burst. */
const quietMs = 20;
/** While the bus says that more wait: they come through the same socket as what they follow. */
const expectedMsMax = 200;

/** Says whether inventories are being received, so that what can wait leaves the CPU to that. */
export type ReceiptPressure = {
  /** So many more are under way, or fewer. */
  add(count: number): void;
  /** So many reports waited at the bus behind the last one. */
  expect(count: number): void;
  isBusy(): boolean;
};

export function createReceiptPressure(nowMs = () => performance.now()): ReceiptPressure {
  let underWay = 0;
  let expected = 0;
  let lastMs = -Infinity;
  return {
    add(count) {
      underWay += count;
      lastMs = nowMs();
    },
    expect(count) {
      expected = count;
    },
    isBusy: () => underWay > 0 || nowMs() - lastMs < (expected > 0 ? expectedMsMax : quietMs),
  };
}
