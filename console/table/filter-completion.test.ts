import test from 'ava';
import {MachineField_Type as FieldType} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {applyOption, completeFilter, type FilterField} from './filter-completion.ts';

const fields: readonly FilterField[] = [
  {name: 'state', type: FieldType.ENUM, values: ['READY', 'ACTIVE']},
  {name: 'hostname', type: FieldType.TEXT, values: []},
  {name: 'hardware.memory_bytes', type: FieldType.NUMBER, values: []},
  {name: 'stuck', type: FieldType.BOOLEAN, values: []},
  {name: 'labels', type: FieldType.LABELS, values: []},
];

const suggests = test.macro({
  exec(t, text: string, expected: readonly string[], values: readonly string[] = []) {
    const {options} = completeFilter(text, text.length, fields, values);
    t.deepEqual(
      options.map(({label = '', value}) => label || value),
      expected,
    );
  },
  title: (_, text) => `after "${text}"`,
});

test(suggests, 'sta', ['state']);
test(suggests, 'mem', ['hardware.memory_bytes']);
test(suggests, 'state ', ['=', '!=', ':']);
test(suggests, 'hardware.memory_bytes ', ['>', '<', '>=', '<=', '=']);
test(suggests, 'state = ', ['READY', 'ACTIVE']);
test(suggests, 'state = (READY OR AC', []);
test(suggests, 'state = A', ['READY', 'ACTIVE']);
test(suggests, 'stuck = t', ['true']);
test(suggests, 'state = READY ', ['AND', 'OR', 'AND NOT']);
test(suggests, 'labels.rack = ', ['r7', 'row 8'], ['r7', 'row 8']);
test(suggests, 'notes : "in the sta', []);

test('a value with a space is put in quotes, in the place of what was typed', t => {
  const text = 'labels.rack = ro AND state = READY';
  const caret = 'labels.rack = ro'.length;
  const completion = completeFilter(text, caret, fields, ['row 8']);
  t.is(completion.valuesOf, 'labels.rack');
  const [option] = completion.options;
  t.deepEqual(option && applyOption(text, completion, option), {
    text: 'labels.rack = "row 8"  AND state = READY',
    caret: 'labels.rack = "row 8" '.length,
  });
});
