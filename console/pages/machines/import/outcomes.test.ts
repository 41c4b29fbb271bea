import {create, type MessageInitShape} from '@bufbuild/protobuf';
import {ImportExpectedMachinesResponseSchema as ReportSchema} from '@muster/proto/gen/muster/v1/discovery_pb.ts';
import test from 'ava';
import {readCsvFile} from './csv-file.ts';
import {badLinesCsv, countsOf, outcomesOf, problemsCsv, problemsOfFile} from './outcomes.ts';

const wrong = (line: number) => ({line, problem: 'It is wrong', remedy: '=Correct it, "now"'});

function judge(text: string, init: MessageInitShape<typeof ReportSchema>) {
  const file = readCsvFile(text);
  const report = create(ReportSchema, init);
  const outcomes = outcomesOf(file, report);
  return {file, report, outcomes, counts: countsOf(outcomes, report)};
}

test('each line has its result, and the good ones their machines', t => {
  const {outcomes, counts, file, report} = judge('serial\nA1\nB2\nC3\n', {
    rowCount: 3,
    goodCount: 2,
    problems: [wrong(3)],
    machineIds: ['m1', 'm3'],
  });
  t.deepEqual(
    outcomes.map(({result, machineId}) => [result, machineId]),
    [
      ['good', 'm1'],
      ['bad', undefined],
      ['good', 'm3'],
    ],
  );
  t.deepEqual(counts, {all: 3, good: 2, bad: 1, isUnread: false});
  t.deepEqual(problemsOfFile(file, report, counts), []);
  t.is(badLinesCsv(file, outcomes), 'serial\nB2\n');
});

test('a line that quotes make unreadable is left out, too, though the server counts it nowhere', t => {
  const {counts, outcomes} = judge('serial\nA1\nB"2\n', {
    rowCount: 1,
    goodCount: 1,
    problems: [wrong(3)],
  });
  t.deepEqual(counts, {all: 2, good: 1, bad: 1, isUnread: false});
  t.deepEqual(
    outcomes.map(({result}) => result),
    ['good', 'bad'],
  );
});

test('of a file that was put aside no line is called fine, and what is wrong with it is told', t => {
  const {counts, outcomes, file, report} = judge('serial\nA1\nB2\n', {
    rowCount: 2,
    problems: [wrong(3)],
  });
  t.is(outcomes[0]?.result, 'unread');
  t.true(counts.isUnread);
  t.is(problemsOfFile(file, report, counts).length, 1);
});

test('problems are no formulas in a sheet', t => {
  const {report} = judge('serial\nA1\n', {problems: [wrong(2)]});
  t.is(
    problemsCsv(report),
    'line,column,problem,remedy\r\n2,,It is wrong,"\'=Correct it, ""now"""\r\n',
  );
});
