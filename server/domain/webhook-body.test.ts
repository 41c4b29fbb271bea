import {spawnSync} from 'node:child_process';
import test from 'ava';
import {createNetworkPolicy} from '../clients/network-policy.ts';
import {checkHeaderNames, checkUrl, reasonToDisable, waitAfter} from './webhook-rules.ts';
import {makeSigningSecret, signatureHeaders} from './webhook-signature.ts';
import {checkTemplate, renderBody} from './webhook-template.ts';

const entry = {
  id: '0199c0de-0000-7000-8000-000000000000',
  position: 7,
  time: new Date('2026-05-01T10:00:00Z'),
  type: 'machine.failed',
  actor: 'system',
  machineId: undefined,
  subject: 'machines/1',
  data: JSON.stringify({reason: 'a "b" & <c>\n{{type}}', count: 3, list: [1], none: null}),
};
const context = {entry, deliveryId: 'd1', webhookName: 'ops'};

test('without a template the body is the event', t => {
  const body = JSON.parse(renderBody('', 'application/json', context)) as object;
  t.like(body, {
    id: entry.id,
    position: 7,
    type: 'machine.failed',
    machine_id: '',
    data: {count: 3},
  });
});

const rendered: readonly (readonly [string, string, string])[] = [
  [
    'application/json',
    '{"text": "{{type}} of {{ subject }}: {{data.reason}}"}',
    String.raw`{"text":"machine.failed of machines/1: a \"b\" & <c>\n{{type}}"}`,
  ],
  ['application/json', '{"n": "{{data.count}}", "l": ["{{data.list}}"]}', '{"n":3,"l":[[1]]}'],
  ['application/json', '{"x": "{{data.no.such}}", "y": "<{{data.none}}>"}', '{"x":null,"y":"<>"}'],
  ['application/vnd.api+json', '["{{position}}"]', '[7]'],
  ['application/json', '{"__proto__": "{{type}}"}', '{"__proto__":"machine.failed"}'],
  [
    'text/plain',
    '{{webhook}} {{delivery_id}} {{data.list}} {{time}}',
    'ops d1 [1] 2026-05-01T10:00:00.000Z',
  ],
  [
    'application/x-www-form-urlencoded',
    'a={{data.reason}}&b={{position}}',
    'a=a%20%22b%22%20%26%20%3Cc%3E%0A%7B%7Btype%7D%7D&b=7',
  ],
  ['application/xml', '<r>{{data.reason}}</r>', '<r>a &#34;b&#34; &#38; &#60;c&#62;\n{{type}}</r>'],
  ['text/plain', '{{data.constructor}}{{event.toString}}', ''],
];
for (const [contentType, template, body] of rendered)
  test(`${contentType}: ${template}`, t => {
    t.notThrows(() => checkTemplate(template, contentType));
    t.is(renderBody(template, contentType, context), body);
  });

for (const [contentType, template, problem] of [
  ['application/json', '{"a": {{type}}}', /it is JSON/],
  ['application/json', '{"{{type}}": 1}', /not in names of fields/],
  ['application/json', `${'['.repeat(40)}${']'.repeat(40)}`, /more than 32 deep/],
  ['text/plain', '{{colour}}', /"\{\{colour\}\}" is unknown: there is id, position/],
  ['text/plain', '{{constructor}}', /is unknown/],
  ['text/plain', '{{type.x}}', /only data and event have fields/],
  ['text/plain', '{{#each data}}', /is no placeholder/],
  ['text/plain', '{{ type', /is no placeholder/],
  ['text/plain', '', /needs a template/],
] as const)
  test(`the template "${template.slice(0, 20)}" is refused as ${contentType}`, t => {
    t.throws(() => checkTemplate(template, contentType), {message: problem});
  });

test('a body that grows too large is refused', t => {
  const huge = {...entry, data: JSON.stringify({x: 'x'.repeat(200_000)})};
  const template = '{{data.x}}{{data.x}}';
  const render = () => renderBody(template, 'text/plain', {...context, entry: huge});
  t.throws(render, {message: /more than 262144 bytes/});
});

test('openssl makes the same signature', t => {
  const secret = makeSigningSecret();
  const body = '{"a":"ü"}';
  const time = new Date('2026-05-01T10:00:00.900Z');
  const headers = signatureHeaders({id: 'd1', time, body, secrets: [secret, makeSigningSecret()]});
  t.is(headers['webhook-timestamp'], '1777629600');
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64').toString('hex');
  const {stdout} = spawnSync(
    'openssl',
    ['dgst', '-sha256', '-mac', 'HMAC', '-macopt', `hexkey:${key}`, '-binary'],
    {input: `d1.1777629600.${body}`},
  );
  const [first = '', second = ''] = headers['webhook-signature']?.split(' ') ?? [];
  t.is(first, `v1,${stdout.toString('base64')}`);
  t.regex(second, /^v1,[A-Za-z0-9+/]{43}=$/);
  t.not(first, second);
});

test('waits double, with jitter, up to an hour, and never shorter than what the receiver says', t => {
  const wait = (failures: number, random: number, retryAfterMs?: number) =>
    waitAfter({firstWaitMs: 5000}, {failures, random, retryAfterMs});
  t.deepEqual(
    [1, 2, 3, 10, 11, 500].map(failures => wait(failures, 0.5)),
    [5000, 10_000, 20_000, 2_560_000, 3_600_000, 3_600_000],
  );
  t.deepEqual([wait(1, 0), wait(1, 1)], [4000, 6000]);
  t.deepEqual([wait(1, 0.5, 60_000), wait(5, 0.5, 1000)], [60_000, 80_000]);
});

test('only long failure and 410 disable', t => {
  const rules = {disableAfterMs: 1000};
  const failed = {
    durationMs: 1,
    answer: '',
    retryAfterMs: undefined,
    error: 'The receiver answered',
  };
  const reason = (statusCode: number, failingForMs: number) =>
    reasonToDisable(rules, {result: {...failed, statusCode}, failingForMs});
  t.is(reason(500, 999), undefined);
  t.regex(reason(500, 1000) ?? '', /Nothing was delivered/);
  t.regex(reason(410, 0) ?? '', /410/);
});

const policy = createNetworkPolicy({allowed: [], denied: ['10.9.0.0/16']});
for (const url of [
  'ftp://example.org/',
  'file:///etc/passwd',
  'example.org',
  'http://',
  'http://user:pw@example.org/',
  'https://example.org/#x',
  'http://127.0.0.1/',
  'http://0x7f.1/',
  'http://[::1]/',
  'http://[::ffff:169.254.169.254]/',
  'http://169.254.169.254/latest/meta-data',
  'http://10.9.8.7/',
])
  test(`the URL ${url} is refused`, t => {
    t.throws(() => checkUrl(url, policy), {message: /^Cannot use the URL: /});
  });

test('a URL is kept as the parser reads it', t => {
  t.is(checkUrl('HTTP://Example.ORG:80/a b', policy), 'http://example.org/a%20b');
  t.is(checkUrl('https://10.8.0.1/x?y', policy), 'https://10.8.0.1/x?y');
});

for (const names of [['Host'], ['webhook-id'], ['Content-Length'], ['X-A', 'x-a'], ['Proxy-Foo']])
  test(`headers ${names.join()} are refused`, t => {
    t.throws(() => checkHeaderNames(names));
  });
