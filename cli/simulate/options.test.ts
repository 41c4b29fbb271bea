import test from 'ava';
import {readPlan} from './options.ts';

const given = {
  machines: '100',
  seed: '1',
  faults: 'none',
  every: '10s',
  edge: 'http://127.0.0.1:8081',
  rate: '50',
};

test('times and counts are read', t => {
  t.like(readPlan({...given, for: '10m', faults: 'slow=1%'}), {
    machines: 100,
    everyMs: 10_000,
    forMs: 600_000,
    faults: {slow: 0.01},
    edgeUrl: 'http://127.0.0.1:8081',
  });
  t.is(readPlan(given).forMs, undefined);
});

test('what cannot be is said with what to say instead', t => {
  const refused = (part: Partial<typeof given> & {for?: string; verify?: boolean}) =>
    t.throws(() => readPlan({...given, ...part})).message;
  t.regex(refused({machines: '0'}), /Cannot use --machines "0": say a whole number from 1 to/);
  t.regex(refused({every: '10'}), /Cannot use --every "10": say for example 10s/);
  t.regex(refused({every: '0s'}), /Cannot use --every "0s"/);
  t.regex(refused({faults: 'rust'}), /Cannot use fault "rust"/);
  t.regex(refused({edge: 'nonsense'}), /"nonsense" is not a URL/);
  t.regex(
    refused({for: '24h', every: '1s', verify: true}),
    /Cannot compare more than 10000 samples/,
  );
  t.regex(refused({for: '99h', every: '1s'}), /Cannot run so long/);
});
