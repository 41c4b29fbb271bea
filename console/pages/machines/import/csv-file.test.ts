import test from 'ava';
import {readCsvFile} from './csv-file.ts';

const rowsOf = (text: string) => readCsvFile(text).rows.map(({line, cells}) => [line, cells]);

test('cells are read as the server reads them, on the lines that an editor counts', t => {
  const text =
    '\uFEFFserial,notes\r\n\r\nABC1234 , "says ""hello"", twice" \r\nXYZ,"two\nlines"\nLAST,';
  t.deepEqual(readCsvFile(text).headings, {
    line: 1,
    cells: ['serial', 'notes'],
    text: 'serial,notes',
  });
  t.deepEqual(rowsOf(text), [
    [3, ['ABC1234', 'says "hello", twice']],
    [4, ['XYZ', 'two\nlines']],
    [6, ['LAST', '']],
  ]);
});

test('a quote in the wrong place spoils its line alone', t => {
  t.deepEqual(rowsOf('serial,notes\nA"B,x\nC,"never closed\nD,fine\nE,"a"b\nF,ok'), [
    [2, undefined],
    [3, undefined],
    [4, ['D', 'fine']],
    [5, undefined],
    [6, ['F', 'ok']],
  ]);
});

test('an empty file has no headings', t => {
  t.deepEqual(readCsvFile(' \n\n'), {headings: undefined, rows: []});
});
