import {DomainError} from '../errors.ts';
import * as store from '../store/boot-sessions.ts';
import type {BootHop, BootSession} from '../store/boot-sessions.ts';
import {findMachine} from '../store/machines.ts';
import {diagnose} from './boot-diagnosis.ts';
import type {Deps} from './deps.ts';
import {pageOf, parseListRequest, type Unparsed} from './newest-first.ts';

const pageSizeDefault = 20;

export type BootTimeline = ReturnType<typeof createBootTimeline>;

export type BootSessionView = {
  readonly session: BootSession;
  readonly hops: readonly BootHop[];
  readonly diagnosis: string;
};

/** Boots, as people look at them. */
export function createBootTimeline({sql, now}: Pick<Deps, 'sql' | 'now'>) {
  async function views(sessions: readonly BootSession[]): Promise<readonly BootSessionView[]> {
    const ids = sessions.map(({id}) => id);
    const hops = Map.groupBy(await store.listBootHops(sql, ids), ({sessionId}) => sessionId);
    return sessions.map(session => {
      const own = hops.get(session.id) ?? [];
      return {session, hops: own, diagnosis: diagnose(session, own, now())};
    });
  }

  return {
    /** Newest first; of all machines and of strangers unless one is named. Throws not_found or invalid_argument. */
    async list({
      countTotal,
      ...request
    }: Unparsed<store.BootSessionQuery> & {readonly countTotal: boolean}) {
      const {machineId, pageSize} = request;
      const asked = {...request, pageSize: pageSize || pageSizeDefault};
      const {query, page} = parseListRequest(asked, now());
      if (machineId !== undefined && !(await findMachine(sql, machineId)))
        throw new DomainError('not_found', `Cannot find machine "${machineId}"`);

      const rows = await store.listBootSessions(sql, {...query, ...page});
      const total = countTotal ? await store.countBootSessions(sql, query) : 0;
      const {items, nextPageToken} = pageOf(rows, page);
      return {views: await views(items), nextPageToken, total};
    },
  };
}
