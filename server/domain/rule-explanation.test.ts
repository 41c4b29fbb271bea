import test from 'ava';
import fc from 'fast-check';
import {parseFilter} from '../filter/parser.ts';
import {type Filter, printFilter} from '../filter/syntax.ts';
import {decidingLeaves, explain, isMet, type Leaf, leavesOf} from './rule-explanation.ts';

/** Of hostnames h0 … h7; those in `true` are met. */
const met = (names: ReadonlySet<string>) => (leaf: Leaf) => names.has(leaf.value.join('*'));
const said = (text: string, names: readonly string[]) =>
  decidingLeaves(parseFilter(text), met(new Set(names))).map(leaf => leaf.value.join('*'));

test('of AND the parts that failed are told, of OR those that held', t => {
  t.deepEqual(said('a b c', ['a']), ['b', 'c']);
  t.deepEqual(said('a b c', ['a', 'b', 'c']), ['a', 'b', 'c']);
  t.deepEqual(said('a OR b OR c', ['b']), ['b']);
  t.deepEqual(said('a OR b', []), ['a', 'b']);
  t.deepEqual(said('-a b', ['a', 'b']), ['a']);
  t.deepEqual(said('a NOT (b OR c)', ['a', 'c']), ['c']);
  t.deepEqual(said('', []), []);
});

test('a sentence names the condition and what the machine has', t => {
  t.is(explain(true, []), 'It matches every machine');
  t.is(
    explain(false, [
      {text: 'product = "R740"', met: false, actual: 'R640'},
      {text: 'labels."rack" = "r7"', met: false, actual: ''},
    ]),
    'It does not match: product = "R740" does not hold (the machine has "R640"); labels."rack" = "r7" does not hold (the machine has nothing there)',
  );
});

const {tree} = fc.letrec<{tree: string; leaf: string}>(tie => ({
  leaf: fc.constantFrom('h0', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'h7'),
  tree: fc.oneof(
    {maxDepth: 4, withCrossShrink: true},
    tie('leaf'),
    fc.tuple(tie('tree'), tie('tree')).map(([a, b]) => `(${a} AND ${b})`),
    fc.tuple(tie('tree'), tie('tree')).map(([a, b]) => `(${a} OR ${b})`),
    tie('tree').map(inner => `NOT (${inner})`),
  ),
}));
const names = fc.uniqueArray(fc.nat({max: 7}).map(n => `h${n}`));

test('the deciding parts alone carry the answer: whatever the others are, it stays', t => {
  fc.assert(
    fc.property(tree, names, names, (text, holding, flipped) => {
      const filter = parseFilter(text) as Filter;
      const now = new Set(holding);
      const whole = isMet(filter, met(now));
      const deciding = new Set(decidingLeaves(filter, met(now)));
      t.true(deciding.size > 0);
      // Leaf by leaf, not name by name: a name may decide at one place and not at another.
      const otherwise = (leaf: Leaf) =>
        deciding.has(leaf) ? met(now)(leaf) : flipped.includes(leaf.value.join('*'));
      return isMet(filter, otherwise) === whole;
    }),
    {numRuns: 500},
  );
});

test('a condition printed leaf by leaf means what it meant', t => {
  fc.assert(
    fc.property(tree, names, (text, holding) => {
      const filter = parseFilter(text) as Filter;
      const again = parseFilter(printFilter(filter));
      const now = met(new Set(holding));
      return (
        isMet(again, now) === isMet(filter, now) &&
        leavesOf(filter).every(leaf => isMet(parseFilter(printFilter(leaf)), now) === now(leaf))
      );
    }),
  );
  t.pass();
});
