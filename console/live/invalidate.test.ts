import {EventSchema} from '@muster/proto/gen/muster/v1/events_pb.ts';
import {GroupService} from '@muster/proto/gen/muster/v1/groups_pb.ts';
import {ImageTestService} from '@muster/proto/gen/muster/v1/image_tests_pb.ts';
import {create} from '@bufbuild/protobuf';
import {createConnectQueryKey} from '@connectrpc/connect-query';
import {QueryClient} from '@tanstack/react-query';
import test from 'ava';
import {createInvalidator} from './invalidate.ts';

const machine = (number: number) => `00000000-0000-7000-8000-${String(number).padStart(12, '0')}`;

/** Which of some answers that are held an event makes stale. */
function staleBy(type: string, machineId = ''): readonly string[] {
  const queryClient = new QueryClient();
  const hold = (name: string, queryKey: readonly unknown[]) =>
    queryClient.setQueryData(queryKey, name);
  const cardinality = 'finite';
  const gateOf = (number: number) =>
    createConnectQueryKey({
      schema: ImageTestService.method.explainImageGate,
      input: {machineId: machine(number)},
      cardinality,
    });
  hold(
    'tests',
    createConnectQueryKey({
      schema: ImageTestService.method.listImageTests,
      input: {},
      cardinality,
    }),
  );
  hold('gate of 1', gateOf(1));
  hold('gate of 2', gateOf(2));
  hold(
    'groups',
    createConnectQueryKey({schema: GroupService.method.listGroups, input: {}, cardinality}),
  );
  createInvalidator(queryClient)({events: [create(EventSchema, {type, machineId})], missed: false});
  const stale = queryClient
    .getQueryCache()
    .getAll()
    .filter(({state}) => state.isInvalidated)
    .map(({state}) => String(state.data));
  queryClient.clear();
  return stale;
}

test('a test of an image makes the tests stale, and the gates that it may open', t => {
  t.deepEqual(staleBy('image_test.passed'), ['tests', 'gate of 1', 'gate of 2']);
  t.deepEqual(staleBy('image_test.passed', machine(1)), ['tests', 'gate of 1']);
  t.deepEqual(staleBy('image_gate.held', machine(2)), ['tests', 'gate of 2']);
});

test('a group that was changed may have another gate', t => {
  t.deepEqual(staleBy('group.updated'), ['tests', 'gate of 1', 'gate of 2', 'groups']);
  t.deepEqual(staleBy('session.created'), []);
});
