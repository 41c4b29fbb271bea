import test from 'ava';
import {parseLabels} from './lines.ts';

test('labels are read one a line, or with commas between them', t => {
  t.deepEqual(parseLabels('rack = r7\n\nnote=a,b=c').labels, {rack: 'r7', note: 'a,b=c'});
  t.deepEqual(parseLabels('rack=r7, tier=', ',').labels, {rack: 'r7', tier: ''});
});

test('what is no label is named', t => {
  t.regex(parseLabels('rack').mistake ?? '', /“rack” is no label/);
  t.regex(parseLabels('rack.=r7').mistake ?? '', /“rack\.” is no key/);
  t.regex(parseLabels('=r7').mistake ?? '', /“” is no key/);
  t.regex(parseLabels('a=1,a=2', ',').mistake ?? '', /“a” stands there twice/);
  t.is(parseLabels('a=1').mistake, undefined);
});
