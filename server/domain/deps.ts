import type {Database} from '../store/db.ts';

/** What every use case is handed: nothing here is made by the domain itself. */
export type Deps = {
  readonly sql: Database;
  readonly now: () => Date;
  readonly newId: () => string;
};
