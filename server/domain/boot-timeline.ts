import {DomainError} from '../errors.ts';
import * as store from '../store/boot-sessions.ts';
import type {BootHop, BootSession} from '../store/boot-sessions.ts';
import {findMachine} from '../store/machines.ts';
import {diagnose} from './boot-diagnosis.ts';
import type {Deps} from './deps.ts';
import {decodeCursor, encodeCursor} from './page-tokens.ts';

const pageSizeDefault = 20;

export type BootTimeline = ReturnType<typeof createBootTimeline>;

export type BootSessionView = {
  readonly session: BootSession;
  readonly hops: readonly BootHop[];
  readonly diagnosis: string;
};

/** The boots of a machine, as people look at them. */
export function createBootTimeline({sql, now}: Pick<Deps, 'sql' | 'now'>) {
  return {
    /** Newest first. Throws not_found. */
    async list(request: {machineId: string; pageSize: number; pageToken: string}) {
      const {machineId} = request;
      const cursor = decodeCursor(request.pageToken);
      const before = cursor && {startTime: cursor.time, id: cursor.id};
      const limit = request.pageSize || pageSizeDefault;
      if (!(await findMachine(sql, machineId)))
        throw new DomainError('not_found', `Cannot find machine "${machineId}"`);

      const sessions = await store.listBootSessions(sql, {machineId, before, limit});
      const hops = Map.groupBy(
        await store.listBootHops(
          sql,
          sessions.map(({id}) => id),
        ),
        ({sessionId}) => sessionId,
      );
      const views = sessions.map((session): BootSessionView => {
        const own = hops.get(session.id) ?? [];
        return {session, hops: own, diagnosis: diagnose(session, own, now())};
      });
      const last = sessions.length === limit ? sessions.at(-1) : undefined;
      const nextPageToken = last ? encodeCursor({time: last.cursorTime, id: last.id}) : '';
      return {views, nextPageToken};
    },
  };
}
