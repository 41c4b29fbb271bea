import {create} from '@bufbuild/protobuf';
import {MachineSchema} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import test from 'ava';
import {differencesOf} from './machine-differences.ts';

const verdicts = (left: object, right: object) =>
  differencesOf(create(MachineSchema, left), create(MachineSchema, right)).map(
    ({label, verdict}) => `${label}: ${verdict}`,
  );

test('what differs comes first, and what neither has is left out', t => {
  t.deepEqual(
    verdicts(
      {serviceTag: 'A', uuid: 'u', product: 'R650', hostname: 'web1'},
      {serviceTag: 'B', uuid: 'u', product: 'R650'},
    ),
    ['Serial number: different', 'UUID: same', 'Model: same', 'Host name: alone'],
  );
});

test('NICs in common are told from the same NICs', t => {
  const left = {macAddress: 'aa', macAddresses: ['aa', 'bb']};
  t.deepEqual(verdicts(left, {macAddresses: ['bb', 'aa']}), ['MAC addresses: same']);
  t.deepEqual(verdicts(left, {macAddresses: ['bb', 'cc']}), ['MAC addresses: partly']);
  t.deepEqual(verdicts(left, {macAddresses: ['cc']}), ['MAC addresses: different']);
});
