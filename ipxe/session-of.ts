import type {Book} from './book.ts';
import type {BootRequest} from './boot-request.ts';
import type {Exchange} from './respond.ts';
import type {BootSession, Sessions} from './sessions.ts';

const sessionId = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The session that a request of a boot under way belongs to. */
export function joinSession({
  book,
  sessions,
  exchange: {query, ipAddress},
  request: {keys},
}: {
  readonly book: Book;
  readonly sessions: Sessions;
  readonly exchange: Exchange;
  readonly request: BootRequest;
}): BootSession {
  const match = book.find(keys);
  const named = query.get('session') ?? '';
  return sessions.join(
    {
      machineId: match.kind === 'one' ? match.machine.answer.machineId : undefined,
      macAddress: keys.macAddresses[0],
      ipAddress,
    },
    sessionId.test(named) ? named : undefined,
  );
}
