import {join, resolve} from 'node:path';
import {integer, text} from '@muster/runtime/config.ts';

const checkout = resolve(import.meta.dirname, '..');

/** What only people in browsers have to do with. */
export const consoleSettings = {
  consoleDirectory: {
    env: 'CONSOLE_DIR',
    describe: 'folder of the built console, read once at the start',
    default: join(checkout, 'console', 'dist'),
    parse: text,
  },
  publicUrl: {
    env: 'PUBLIC_URL',
    describe:
      'where people reach this server when that is not its own port (a proxy, for instance), as https://name; with https, cookies are sent over TLS only',
    default: '',
    parse: parsePublicUrl,
  },
  browserSessionIdleMinutes: {
    env: 'BROWSER_SESSION_IDLE_MINUTES',
    describe: 'how long the session of a browser lasts without any call',
    default: '480',
    parse: integer(5, 43_200),
  },
  browserSessionHours: {
    env: 'BROWSER_SESSION_HOURS',
    describe:
      'how long the session of a browser lasts at most; one that began at the OpenID provider lasts 24',
    default: '168',
    parse: integer(1, 720),
  },
  oidcName: {
    env: 'OIDC_NAME',
    describe:
      'what the sign-in page calls the OpenID provider; empty: the host name of OIDC_ISSUER',
    default: '',
    parse: text,
  },
};

/** Its origin; empty stays empty. */
export function parsePublicUrl(value: string): string {
  if (value === '') return value;
  const url = URL.parse(value);
  const isOrigin = url !== null && `${url.origin}/` === url.href;
  if (isOrigin && ['http:', 'https:'].includes(url.protocol)) return url.origin;
  throw new Error(
    `"${value}" is not an address such as https://muster.example.net, without a path`,
  );
}
