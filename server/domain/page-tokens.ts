import {badPageToken, isUuid} from './ids.ts';

export type Cursor = {readonly time: string; readonly id: string};

/** Opaque to clients: the sort key of the last row, with the database's own text of the time, so that no digit is lost. */
export function encodeCursor({time, id}: Cursor): string {
  return Buffer.from(`${time}|${id}`).toString('base64url');
}

/** Undefined for the first page; throws invalid_argument. */
export function decodeCursor(token: string): Cursor | undefined {
  if (token === '') return undefined;
  const [time, id, ...rest] = Buffer.from(token, 'base64url').toString().split('|');
  const plausible = /^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:.]{8,15}[+-][0-9:]{2,8}$/.test(time ?? '');
  if (!time || !plausible || !id || !isUuid(id) || rest.length > 0) throw badPageToken(token);
  return {time, id};
}
