import {execFileSync} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {makeSigningSecret, signatureHeaders} from '@muster/server/domain/webhook-signature.ts';
import test from 'ava';

const page = readFileSync(new URL('../docs/webhooks.md', import.meta.url), 'utf8');
const exampleIn = (language: string) =>
  new RegExp(`\`\`\`${language}\\n(.*?)\`\`\``, 's').exec(page)?.[1] ?? '';

const secret = makeSigningSecret();
const old = makeSigningSecret();
const time = new Date('2026-05-01T10:00:00Z');
const now = time.getTime() / 1000;
const body = '{"text":"grün"}';
const headers = signatureHeaders({id: 'd1', time, body, secrets: [secret, old]});

/** Secret, body, seconds, and whether an example accepts it. */
const cases: readonly (readonly [string, string, number, boolean])[] = [
  [secret, body, now, true],
  [old, body, now + 200, true],
  [makeSigningSecret(), body, now, false],
  [secret, `${body} `, now, false],
  [secret, body, now + 301, false],
  [secret, body, now - 301, false],
];

test('the example for Node accepts what is genuine and new, and nothing else', async t => {
  const source = `data:text/javascript,${encodeURIComponent(exampleIn('js'))}`;
  const {verify} = (await import(source)) as {
    verify: (secret: string, headers: object, body: string, now: number) => boolean;
  };
  for (const [key, text, seconds, accepted] of cases)
    t.is(verify(key, headers, text, seconds), accepted);
});

test('the example for Python does the same', t => {
  const calls = JSON.stringify(cases.map(([key, text, seconds]) => [key, text, seconds]));
  const program = `${exampleIn('python')}
import json, sys
headers, calls = json.load(sys.stdin)
print(json.dumps([verify(secret, headers, body, now) for secret, body, now in calls]))
`;
  const answer = execFileSync('python3', ['-c', program], {
    input: `[${JSON.stringify(headers)}, ${calls}]`,
    encoding: 'utf8',
  });
  t.deepEqual(
    JSON.parse(answer),
    cases.map(([, , , accepted]) => accepted),
  );
});
