import {existsSync} from 'node:fs';
import {join} from 'node:path';
import {readdir, readFile, writeFile} from './files.ts';
import {monotonicMs} from './monotonic.ts';
import type {Tools} from './run-command.ts';
import {pause} from './waits.ts';

const identifyTimeoutMs = 10_000;
const durationDefaultSeconds = 15;
const durationSecondsMax = 3600;
const blinkMs = 500;
/** Names of LEDs that are made to be looked for, in the kernel's form device:colour:function. */
const locatorLed = /locat|identif|uid|:status$|fault/i;

export type Locator = {
  /** Starts to blink and says with what; undefined when there is nothing to blink. */
  start(durationSeconds: number, signal: AbortSignal): Promise<string | undefined>;
};

/** Makes the machine findable: by its BMC's chassis light, else by an LED, else by the console's bell. */
export function createLocator({
  root,
  tools,
}: {
  readonly root: string;
  readonly tools: Tools;
}): Locator {
  return {
    async start(durationSeconds, signal) {
      const seconds = Math.min(durationSeconds || durationDefaultSeconds, durationSecondsMax);
      return (
        (await identifyChassis(root, tools, seconds)) ??
        (await blinkLed(join(root, 'sys/class/leds'), seconds, signal)) ??
        (await ringBell(join(root, 'dev/console'), seconds, signal))
      );
    },
  };
}

async function identifyChassis(
  root: string,
  tools: Tools,
  seconds: number,
): Promise<string | undefined> {
  if (!existsSync(join(root, 'dev/ipmi0'))) return undefined;
  // IPMI 2.0, 28.5: the interval is one byte of seconds.
  const interval = String(Math.min(seconds, 255));
  const answer = await tools
    .run('ipmitool', ['chassis', 'identify', interval], identifyTimeoutMs)
    .catch(() => undefined);
  return answer === undefined ? undefined : `The chassis light blinks for ${interval} s`;
}

async function blinkLed(
  directory: string,
  seconds: number,
  signal: AbortSignal,
): Promise<string | undefined> {
  const names = await readdir(directory).catch(() => []);
  const name = names.find(candidate => locatorLed.test(candidate));
  if (name === undefined) return undefined;

  const file = join(directory, name, 'brightness');
  const before = await readFile(file, 'utf8').catch(() => '0');
  const set = (value: string) => writeFile(file, value).catch(() => undefined);
  void repeat(seconds, signal, isOn => set(isOn ? '1' : '0')).then(() => set(before.trim()));
  return `The LED "${name}" blinks for ${seconds} s`;
}

async function ringBell(
  console: string,
  seconds: number,
  signal: AbortSignal,
): Promise<string | undefined> {
  const ring = () => writeFile(console, '\u0007', {flag: 'a'});
  if (!existsSync(console)) return undefined;
  try {
    await ring();
  } catch {
    return undefined;
  }
  void repeat(seconds, signal, async isOn => {
    if (isOn) await ring().catch(() => undefined);
  });
  return `The console's bell rings for ${seconds} s`;
}

async function repeat(
  seconds: number,
  signal: AbortSignal,
  set: (isOn: boolean) => Promise<void>,
): Promise<void> {
  const endMs = monotonicMs() + seconds * 1000;
  for (let isOn = true; monotonicMs() < endMs && !signal.aborted; isOn = !isOn) {
    await set(isOn);
    await pause(blinkMs, signal);
  }
}
