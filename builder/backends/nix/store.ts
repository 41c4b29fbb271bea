import path from 'node:path';
import process from 'node:process';
import {type NixEnvironment, type NixSettings, prepareEnvironment} from './environment.ts';
import {type PinSettings, type Pins, resolvePins} from './pins.ts';
import {createStoreGate, type StoreGate} from './store-gate.ts';

export type NixLimits = {
  readonly evaluationSeconds: number;
  readonly evaluationMemoryBytes: number;
  readonly buildSeconds: number;
  /** Without a line of output. */
  readonly silenceSeconds: number;
  readonly buildLogBytes: number;
};

export type NixStoreSettings = NixSettings & PinSettings & {readonly limits: NixLimits};

/** Nix as this builder uses it: where its store is, what its inputs are, and who uses it at the moment. */
export type NixStore = {
  readonly settings: NixStoreSettings;
  readonly gate: StoreGate;
  /** Whether programs can be kept from the network. */
  readonly canIsolate: boolean;
  environment(signal: AbortSignal): Promise<NixEnvironment>;
  pins(signal: AbortSignal): Promise<Pins>;
  /** Below the folder of this back end. */
  place(...names: readonly string[]): string;
};

export function createNixStore(settings: NixStoreSettings): NixStore {
  let prepared: NixEnvironment | undefined;
  // One at a time: two that root the same input would stand in each other's way.
  let pinning: Promise<unknown> = Promise.resolve();

  const environment = async (signal: AbortSignal) =>
    (prepared ??= await prepareEnvironment(settings, signal));

  return {
    settings,
    gate: createStoreGate(),
    canIsolate: process.getuid?.() === 0,
    environment,
    pins(signal) {
      const next = pinning
        .catch(() => undefined)
        .then(async () => resolvePins(settings, await environment(signal), signal));
      pinning = next;
      return next;
    },
    place: (...names) => path.join(settings.stateDirectory, ...names),
  };
}
