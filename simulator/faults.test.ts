import test from 'ava';
import {loopbackAddress, sourceAddressFor} from './addresses.ts';
import {faultsOf, parseFaults, skewOf} from './faults.ts';
import {identify} from './machine.ts';

test('faults are named with their shares', t => {
  t.deepEqual(parseFaults('none'), {});
  t.deepEqual(parseFaults('flapping=10%, slow'), {flapping: 0.1, slow: 0.05});
  t.is(Object.keys(parseFaults('all=1%')).length, 6);
  t.throws(() => parseFaults('rust'), {message: /Cannot use fault "rust": say flapping/});
  t.throws(() => parseFaults('slow=120%'), {message: /Cannot use share "120%"/});
  t.throws(() => parseFaults('slow=0.1'), {message: /say for example "5%"/});
});

test('each fault hits its share of the fleet, the same machines each time', t => {
  const shares = {flapping: 0.2, 'clock-skew': 0.1} as const;
  const hit = Array.from({length: 2000}, (_, index) => faultsOf('1', index, shares));
  const flapping = hit.filter(faults => faults.has('flapping')).length;
  t.true(flapping > 320 && flapping < 480, String(flapping));
  t.deepEqual(faultsOf('1', 7, shares), hit[7]);
  t.deepEqual(
    Array.from({length: 2000}, (_, index) => faultsOf('1', index, {flapping: 0.2}).has('flapping')),
    hit.map(faults => faults.has('flapping')),
  );
  t.is(skewOf('1', 0, new Set()), 0);
  t.true(Math.abs(skewOf('1', 0, new Set(['clock-skew']))) >= 60_000);
});

test('a duplicate has the UUID of its neighbour and nothing else of it', t => {
  const shares = {'duplicate-uuid': 1};
  const twin = identify('1', 5, shares);
  const neighbour = identify('1', 4, {});
  t.is(twin.uuid, neighbour.uuid);
  t.is(twin.evidence.uuid, neighbour.uuid);
  t.is(twin.hardware().system?.uuid, neighbour.uuid);
  t.not(twin.serial, neighbour.serial);
});

test('each machine has a loopback address of its own, used towards loopback only', t => {
  const addresses = Array.from({length: 5000}, (_, index) => loopbackAddress(index));
  t.is(new Set(addresses).size, 5000);
  t.is(addresses[0], '127.64.0.1');
  t.is(addresses[255], '127.64.1.0');
  t.is(sourceAddressFor('127.0.0.1', '127.64.0.1'), '127.64.0.1');
  t.is(sourceAddressFor('10.0.0.1', '127.64.0.1'), undefined);
});
