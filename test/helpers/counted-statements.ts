import postgres from 'postgres';
import type {Database} from '@muster/server/store/db.ts';

/** The same database by connections of its own; `counted` says what was sent through them meanwhile, each statement's text. */
export function countStatements(sql: Database): AsyncDisposable & {
  readonly sql: Database;
  during<T>(
    work: () => Promise<T>,
  ): Promise<{readonly answer: T; readonly statements: readonly string[]}>;
} {
  let sent: string[] = [];
  const options = {...sql.options, debug: (_connection: number, text: string) => sent.push(text)};
  const counted = postgres(options as never);
  return {
    sql: counted,
    async during(work) {
      sent = [];
      const answer = await work();
      return {answer, statements: [...sent]};
    },
    [Symbol.asyncDispose]: () => counted.end({timeout: 1}),
  };
}
