import {timestampFromDate} from '@bufbuild/protobuf/wkt';
import {
  Machine_State,
  Machine_StateSchema,
  MachineSchema,
} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {create} from '@bufbuild/protobuf';
import test from 'ava';
import {age, bytes, createOutput, nameOf, progressBar, renderTable} from './output.ts';

const capture = (terminal: boolean) => {
  const written: string[] = [];
  const write = (text: string) => {
    written.push(text);
    return true;
  };
  return {written, stream: {write, isTTY: terminal, hasColors: () => terminal}};
};

test('columns are as wide as their longest cell, and an empty cell is a dash', t => {
  const rows = [
    {id: 'a', state: 'ACTIVE'},
    {id: 'long-id', state: ''},
  ];
  const columns = [
    {title: 'ID', value: (row: (typeof rows)[number]) => row.id},
    {title: 'STATE', value: (row: (typeof rows)[number]) => row.state},
  ];
  t.deepEqual(renderTable(columns, rows), ['ID       STATE', 'a        ACTIVE', 'long-id  -']);
});

test('colours and progress are for terminals only', t => {
  const columns = [{title: 'STATE', value: (state: string) => state}];
  const person = capture(true);
  const shown = createOutput(person.stream, false);
  shown.table(columns, ['ACTIVE']);
  shown.progress('half');
  t.true(person.written.join('').includes('\u001B[32mACTIVE'));
  t.is(person.written.at(-1), '\r\u001B[Khalf');

  const pipe = capture(false);
  const piped = createOutput(pipe.stream, false);
  piped.table(columns, ['ACTIVE']);
  piped.progress('half');
  t.deepEqual(pipe.written, ['STATE\n', 'ACTIVE\n']);
});

test('--json writes one document, or one line per resource of a stream', t => {
  const {written, stream} = capture(true);
  const out = createOutput(stream, true);
  const machine = create(MachineSchema, {id: 'x', state: Machine_State.READY});
  out.documents(MachineSchema, [machine]);
  t.deepEqual(JSON.parse(written.join('')), [{id: 'x', state: 'STATE_READY'}]);

  out.jsonLine(MachineSchema, machine);
  t.is(written.at(-1), '{"id":"x","state":"STATE_READY"}\n');
});

test('numbers and times read as people say them', t => {
  t.is(bytes(0), '0 B');
  t.is(bytes(1536), '1.5 KiB');
  t.is(bytes(64n * 1024n ** 3n), '64 GiB');
  const now = Date.UTC(2026, 0, 2);
  const ago = (seconds: number) => timestampFromDate(new Date(now - seconds * 1000));
  t.is(age(undefined), '');
  t.is(age(ago(0), now), '0 s');
  t.is(age(ago(185), now), '3 min');
  t.is(age(ago(90_000), now), '1 d');
  t.is(progressBar(50, 4), '[##..]  50 %');
  t.is(progressBar(120, 4), '[####] 120 %');
  t.is(nameOf(Machine_StateSchema, Machine_State.ACTIVE), 'ACTIVE');
  t.is(nameOf(Machine_StateSchema, 99), '99');
});
