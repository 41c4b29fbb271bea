export type Range = {readonly id: string; readonly label: string; readonly seconds: number};

export const ranges: readonly Range[] = [
  {id: '1h', label: '1 hour', seconds: 3600},
  {id: '6h', label: '6 hours', seconds: 21_600},
  {id: '24h', label: '1 day', seconds: 86_400},
  {id: '7d', label: '1 week', seconds: 604_800},
  {id: '30d', label: '30 days', seconds: 2_592_000},
];

/** More than a screen can show; fewer would hide peaks. */
const pointsMax = 1000;
const steps: readonly (readonly [step: string, seconds: number])[] = [
  ['1m', 60],
  ['5m', 300],
  ['15m', 900],
  ['1h', 3600],
  ['6h', 21_600],
];
/** Samples come every 5 to 10 s: of so short a time they are all shown. */
const sampledSeconds = 3600;

/** The finest step that gives no more points than are wanted; empty: the samples themselves. */
export const stepOf = (seconds: number): string =>
  seconds <= sampledSeconds
    ? ''
    : (steps.find(([, step]) => seconds / step <= pointsMax)?.[0] ?? '6h');
