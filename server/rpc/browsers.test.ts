import test from 'ava';
import {type Browser, browserOf, type PeerRequest} from './browsers.ts';

type Headers = PeerRequest['headers'];

const plain = (headers: Headers, method = 'POST'): Browser =>
  browserOf({socket: {}, method, headers: {host: 'muster:8080', ...headers}}, '');

const overTls = (headers: Headers, publicOrigin = ''): Browser =>
  browserOf(
    {socket: {encrypted: true}, method: 'POST', authority: 'muster:8443', headers},
    publicOrigin,
  );

const counts = test.macro<[headers: Headers, method?: string]>({
  exec: (t, headers, method) => t.is(plain(headers, method).problem, undefined),
  title: (_given, headers, method = 'POST') => `counts: ${method} ${JSON.stringify(headers)}`,
});

const countsNot = test.macro<[headers: Headers, method?: string]>({
  exec: (t, headers, method) => t.is(typeof plain(headers, method).problem, 'string'),
  title: (_given, headers, method = 'POST') => `counts not: ${method} ${JSON.stringify(headers)}`,
});

const own = 'http://muster:8080';

test(counts, {'sec-fetch-site': 'same-origin'});
test(counts, {'sec-fetch-site': 'same-origin', origin: 'https://behind.a.proxy'});
test(counts, {origin: own});
test(counts, {origin: 'http://MUSTER:8080'});
test(counts, {referer: `${own}/machines?filter=x`}, 'GET');
test(counts, {referer: `${own}/machines`}, 'HEAD');

test(countsNot, {});
test(countsNot, {}, 'GET');
test(countsNot, {origin: ''});
test(countsNot, {origin: 'null'});
test(countsNot, {origin: 'http://muster'});
test(countsNot, {origin: 'http://muster:8443'});
test(countsNot, {origin: 'https://muster:8080'});
test(countsNot, {origin: 'http://muster:8080.evil.example'});
test(countsNot, {origin: `${own}, http://evil.example`});
test(countsNot, {'sec-fetch-site': 'same-site', origin: own});
test(countsNot, {'sec-fetch-site': 'cross-site', origin: own});
test(countsNot, {'sec-fetch-site': 'none'}, 'GET');
test(countsNot, {'sec-fetch-site': ''});
test(countsNot, {'sec-fetch-site': 'same-origin, cross-site'});
test(countsNot, {referer: `${own}/machines`});
test(countsNot, {referer: 'http://evil.example/'}, 'GET');
test(countsNot, {referer: `http://evil.example/${own}`}, 'GET');
test(countsNot, {referer: `${own}@evil.example/`}, 'GET');
test(countsNot, {origin: 'http://evil.example', referer: `${own}/`}, 'GET');

test('over TLS and behind a proxy the own address is what people see', t => {
  t.is(overTls({origin: 'https://muster:8443'}).problem, undefined);
  t.regex(overTls({origin: 'http://muster:8443'}).problem ?? '', /comes from "http:/);
  const named = 'https://muster.example.net';
  t.is(overTls({origin: named}, named).problem, undefined);
  t.is(overTls({origin: 'https://muster:8443'}, named).problem, undefined);

  const behind = (origin: string, publicOrigin: string) =>
    browserOf({socket: {}, headers: {host: 'muster:8080', origin}}, publicOrigin).problem;
  t.is(behind(named, named), undefined);
  t.regex(behind(named, '') ?? '', /set PUBLIC_URL/);
  // Its cookies would be for TLS only, and the browser would drop them there.
  t.regex(behind(own, named) ?? '', /this server is https:\/\/muster\.example\.net$/);
  t.is(behind(own, 'http://muster.example.net'), undefined);
});

test('each kind of connection has its own cookie, and none takes the other for it', t => {
  const cookie = '__Host-muster=secure; muster-session=plain; x=muster-session=no; muster-oidc=o';
  t.like(plain({cookie}), {isSecure: false, sessionSecret: 'plain', oidcSecret: 'o'});
  t.like(overTls({cookie}), {isSecure: true, sessionSecret: 'secure', oidcSecret: undefined});
  t.is(plain({cookie: 'muster-session='}).sessionSecret, undefined);
  t.is(plain({cookie: 'Muster-Session=x; not-muster-session=y'}).sessionSecret, undefined);
});

test('a page of another site is told from a program', t => {
  for (const headers of [{'sec-fetch-site': 'cross-site'}, {origin: 'null'}] as const)
    t.like(plain(headers), {isForeign: true, isBrowser: true});
  t.like(plain({}), {isForeign: false, isBrowser: false});
  // Somebody typed the address.
  t.like(plain({'sec-fetch-site': 'none'}, 'GET'), {isForeign: false, isBrowser: true});
});
