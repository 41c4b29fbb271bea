import type {Cache} from '../../cache.ts';
import type {Apt} from './apt.ts';

/** What the two kinds of Debian images are made with. */
export type DebianDeps = {
  readonly apt: Apt;
  readonly cache: Cache;
  readonly nodeBinary: string;
  readonly agentBundle: string;
};
