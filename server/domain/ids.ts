import {DomainError} from '../errors.ts';

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export const isUuid = (text: string): boolean => uuidPattern.test(text);

/** Undefined when empty (no filter); throws invalid_argument when it is no UUID. */
export function parseFilterId(name: string, text: string): string | undefined {
  if (text === '') return undefined;
  if (!isUuid(text))
    throw new DomainError(
      'invalid_argument',
      `Cannot filter by ${name} "${text}": expected a UUID`,
    );
  return text;
}

/** A page token is the id of the last row of the page before, where ids grow with time. */
export function parsePageToken(token: string): string | undefined {
  if (token === '') return undefined;
  if (!isUuid(token)) throw badPageToken(token);
  return token;
}

export function badPageToken(token: string): DomainError {
  return new DomainError(
    'invalid_argument',
    `Cannot read page token "${token}": use next_page_token of the page before`,
  );
}
