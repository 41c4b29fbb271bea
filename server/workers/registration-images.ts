import type {Logger} from '@muster/runtime/log.ts';
import {requestMissingRegistrationImage} from '../domain/build-upkeep.ts';
import {repeat, type Repeated} from '../repeat.ts';

const intervalMs = 3000;
const backOffMs = 5 * 60_000;

/** While a registration image is missing and a builder could make it, asks for it: a fresh Muster needs nobody to say so. */
export function startRegistrationImages(
  deps: Omit<Parameters<typeof requestMissingRegistrationImage>[0], 'backOffMs'> & {
    readonly log: Logger;
  },
): Repeated {
  const {log} = deps;
  return repeat({
    name: 'registration images',
    intervalMs,
    log,
    step: async () => {
      const variant = await requestMissingRegistrationImage({...deps, backOffMs});
      if (variant) log.info({variant}, 'asked for a registration image');
    },
  });
}
