import {getOption} from '@bufbuild/protobuf';
import {ImportExpectedMachinesRequestSchema} from '@muster/proto/gen/muster/v1/discovery_pb.ts';
import {field as fieldRules} from '@muster/proto/gen/buf/validate/validate_pb.ts';
import {readCsvLines} from '@muster/server/rpc/csv-lines.ts';
import {readMachineCsv} from '@muster/server/rpc/machine-csv.ts';
import test from 'ava';
import {csvBytesMax, csvRowsMax, readCsvFile} from '../console/pages/machines/import/csv-file.ts';
import {headingMeaning} from '../console/pages/machines/import/headings.ts';

// The console shows line by line what the server will make of a file, and imports nothing of the server: here the two are held together.

const reads = test.macro({
  exec(t, text: string) {
    const {headings, rows} = readCsvFile(text);
    const all = headings ? [headings, ...rows] : rows;
    const {lines, problems} = readCsvLines(text);
    t.deepEqual(
      all.filter(({cells}) => cells).map(({line, cells}) => ({line, cells})),
      lines.map(({line, cells}) => ({line, cells})),
    );
    t.deepEqual(
      all.filter(({cells}) => !cells).map(({line}) => line),
      problems.map(({line}) => line),
    );
  },
  title: (_, text) => `the console reads as the server does: ${JSON.stringify(text)}`,
});

test(reads, 'serial,macs\nA1,52:54:00:aa:00:01\n');
test(
  reads,
  '\uFEFFserial , notes\r\n\r\n A1 , "says ""hello"", twice" \r\nB2,"two\r\nlines"\r\nC3,',
);
test(reads, 'serial,notes\nA"1,x\nB2,fine\n');
test(reads, 'serial,notes\nA1,"never closed\nB2,fine\nC3,"');
test(reads, 'serial,notes\nA1,"a"b\nB2,"", \nC3\n');
test(reads, 'serial;macs\n""\n"A1",,\n   \nlast');
test(reads, '\n \n');

test('every heading that the server knows is explained by the console, and no other', t => {
  const [problem] = readMachineCsv('serial,rack\n').problems;
  const known = /^Use one of (.*), or remove/.exec(problem?.remedy ?? '')?.[1]?.split(', ') ?? [];
  t.true(known.length > 10);
  for (const heading of known) t.truthy(headingMeaning(heading), heading);
  t.is(headingMeaning('rack'), undefined);
  t.deepEqual(readMachineCsv('SERIAL,label.rack\n').problems, []);
  t.truthy(headingMeaning('SERIAL'));
});

test('the limits that the console shows are those of the server', t => {
  const lines = (count: number) => `serial\n${'same\n'.repeat(count)}`;
  t.notRegex(readMachineCsv(lines(csvRowsMax)).problems[0]?.problem ?? '', /more than/);
  t.regex(readMachineCsv(lines(csvRowsMax + 1)).problems[0]?.problem ?? '', /more than 2000 lines/);
  const {type} = getOption(ImportExpectedMachinesRequestSchema.field.csv, fieldRules);
  t.is(type.case === 'string' ? type.value.maxLen : undefined, BigInt(csvBytesMax));
});
