/** How far a boot came, in order. Requests and the console tell. */
export const stages = [
  'power-on',
  'iPXE',
  'boot script',
  'kernel fetched',
  'initrd fetched',
  'boot.json fetched',
  'init running',
  'network up',
  'layers mounted',
  'agent started',
] as const;

export type Stage = (typeof stages)[number];

const consoleMarkers: readonly (readonly [RegExp, Stage])[] = [
  [/iPXE/, 'iPXE'],
  [/MUSTER init/, 'init running'],
  [/MUSTER network up/, 'network up'],
  [/MUSTER root ready/, 'layers mounted'],
  [/MUSTER agent start|Muster agent/, 'agent started'],
];

// The command line itself says "panic=30": only the kernel's own words count.
const fatalMarkers: readonly RegExp[] = [/Kernel panic - not syncing/, /MUSTER error: /];

/** The stage that a console line proves; markers may stand behind stray bytes of the firmware. */
export const stageOfLine = (line: string): Stage | undefined =>
  consoleMarkers.find(([pattern]) => pattern.test(line))?.[1];

/** Whether this line means that the boot will not succeed. */
export const isFatalLine = (line: string): boolean =>
  fatalMarkers.some(pattern => pattern.test(line));

export function laterStage(a: Stage, b: Stage): Stage {
  return stages.indexOf(b) > stages.indexOf(a) ? b : a;
}

const advice: Readonly<Record<Stage, string>> = {
  'power-on': 'the firmware never started iPXE: see the console',
  iPXE: 'iPXE did not ask for its script: the virtual network card has no link or no address',
  'boot script': 'the kernel was not fetched: see the iPXE error on the console',
  'kernel fetched': 'the initrd was not fetched: see the iPXE error on the console',
  'initrd fetched': 'boot.json was not fetched: see the iPXE error on the console',
  'boot.json fetched':
    'the kernel did not reach /init: see the console for a panic or too little memory',
  'init running': 'no network: the driver of the network card may be missing',
  'network up': 'the agent did not start: see the console',
  'layers mounted': 'the system did not start the agent: see the console for failed units',
  'agent started': 'the agent did not enrol: see its messages on the console',
};

export const describeStage = (stage: Stage): string =>
  `the last stage reached was "${stage}"; ${advice[stage]}`;
