import type {NewestFirst, Span} from '../store/newest-first.ts';
import {parseSpan} from './moments.ts';
import {decodeCursor, encodeCursor} from './page-tokens.ts';

const pageSizeDefault = 50;

/** As clients ask for a list: times in words, a page by its token; `pageSize` 0 is 50. */
export type Unparsed<Query extends Span> = Omit<Query, 'since' | 'until'> & {
  readonly since: string;
  readonly until: string;
  readonly pageSize: number;
  readonly pageToken: string;
};

type Asked = Unparsed<Span>;
type Page = Pick<NewestFirst, 'before' | 'limit'>;

/** What is asked for, and the page of it with one row more than is shown: whether there are more. Throws invalid_argument. */
export function parseListRequest<Request extends Asked>(request: Request, now: Date) {
  const {pageSize, pageToken, since, until, ...rest} = request;
  const limit = (pageSize || pageSizeDefault) + 1;
  const page: Page = {before: decodeCursor(pageToken), limit};
  return {query: {...rest, ...parseSpan({since, until}, now)}, page};
}

export function pageOf<Row extends {readonly id: string; readonly cursorTime: string}>(
  rows: readonly Row[],
  {limit}: Pick<Page, 'limit'>,
) {
  const items = rows.slice(0, limit - 1);
  const last = rows.length === limit ? items.at(-1) : undefined;
  return {items, nextPageToken: last ? encodeCursor({time: last.cursorTime, id: last.id}) : ''};
}
