import fc from 'fast-check';
import test from 'ava';
import {serviceName} from './joining.ts';

test('every host name becomes a name that the contract allows', t => {
  t.is(serviceName('R7.example.net'), 'r7-example-net');
  t.is(serviceName('---'), 'local');
  fc.assert(
    fc.property(fc.string({maxLength: 300}), host =>
      /^[a-z0-9][a-z0-9-]{0,62}$/.test(serviceName(host)),
    ),
  );
  t.pass();
});
