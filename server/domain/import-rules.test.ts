import test, {type ExecutionContext} from 'ava';
import {digestOf, merge, readEmail, readGroupName, readTags, readUsername} from './import-rules.ts';

type Case = {
  readonly here: string;
  readonly there: string;
  /** What was taken the last time; undefined: never. */
  readonly last?: string;
};

function decides(
  t: ExecutionContext,
  {here, there, last}: Case,
  decision: 'take' | 'keep' | 'nothing',
) {
  const before: Record<string, string> = last === undefined ? {} : {hostname: digestOf(last)};
  const {take, kept, taken} = merge({hostname: here}, {hostname: there}, before);
  t.deepEqual(take, decision === 'take' ? ['hostname'] : []);
  t.deepEqual(kept, decision === 'keep' ? ['hostname'] : []);
  const again = merge({hostname: take.length > 0 ? there : here}, {hostname: there}, taken);
  t.like(again, {take: [], kept: []}, 'a second time there is nothing to do');
}

test('never taken, empty here', decides, {here: '', there: 'a'}, 'take');
test('never taken, another one here', decides, {here: 'b', there: 'a'}, 'keep');
test('never taken, the same here', decides, {here: 'a', there: 'a'}, 'nothing');
test('taken, changed there', decides, {here: 'a', there: 'b', last: 'a'}, 'take');
test('taken, changed here', decides, {here: 'b', there: 'a', last: 'a'}, 'nothing');
test('taken, emptied here', decides, {here: '', there: 'a', last: 'a'}, 'nothing');
test('taken, changed on both sides', decides, {here: 'c', there: 'b', last: 'a'}, 'keep');
test('taken, changed on both sides alike', decides, {here: 'b', there: 'b', last: 'a'}, 'nothing');
test('taken, emptied there', decides, {here: 'a', there: '', last: 'a'}, 'nothing');

test('names become those that can be here, or are refused', t => {
  t.deepEqual(readGroupName('web-servers'), {name: 'web-servers', remark: ''});
  t.deepEqual(readGroupName(' Büro / 2 '), {name: 'B-ro - 2', remark: 'Its name was "Büro / 2"'});
  t.true('problem' in readGroupName('\0'));
  t.like(readGroupName('x'.repeat(100)), {name: 'x'.repeat(63)});
  t.deepEqual(readUsername('bob'), {name: 'bob', remark: ''});
  t.deepEqual(readUsername('Bob'), {name: 'bob', remark: 'Its name was "Bob"'});
  for (const text of ['', 'bob smith', 'bob\0', 'böb', '-bob', 'b'.repeat(64)])
    t.true('problem' in readUsername(text), text);
});

test('tags and mail addresses that do not fit are told', t => {
  const many = Array.from({length: 34}, (_, index) => `t${index}`);
  t.like(readTags(['ok', '', 'x'.repeat(65)]), {tags: ['ok'], losses: {length: 2}});
  t.like(readTags(many), {tags: {length: 32}, losses: {length: 2}});
  t.deepEqual(readEmail(' a@example.com '), {email: 'a@example.com', losses: []});
  t.like(readEmail('a\nb'), {email: '', losses: {length: 1}});
});
