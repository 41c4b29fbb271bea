import test from 'ava';
import fc from 'fast-check';
import {prioritiesAfterMove} from './rule-order.ts';

const rulesOf = (...priorities: readonly number[]) =>
  priorities.map((priority, index) => ({id: String.fromCodePoint(97 + index), priority}));

test('a rule goes between two others by its own priority alone', t => {
  t.deepEqual(prioritiesAfterMove(rulesOf(30, 20, 10), 2, 1), [{id: 'c', priority: 25}]);
  t.deepEqual(prioritiesAfterMove(rulesOf(30, 20, 10), 0, 2), [{id: 'a', priority: 0}]);
  t.deepEqual(prioritiesAfterMove(rulesOf(30, 20, 10), 1, 0), [{id: 'b', priority: 40}]);
});

test('without room those above make some, the topmost first', t => {
  t.deepEqual(prioritiesAfterMove(rulesOf(1, 0, 0), 2, 1), [
    {id: 'a', priority: 2},
    {id: 'c', priority: 1},
  ]);
});

test('whatever the priorities were, the order is the wanted one and nothing else moves', t => {
  const positions = fc
    .array(fc.integer({min: -50, max: 50}), {minLength: 2, maxLength: 26})
    .chain(priorities =>
      fc.tuple(
        fc.constant(priorities.toSorted((a, b) => b - a)),
        fc.nat({max: priorities.length - 1}),
        fc.nat({max: priorities.length - 1}),
      ),
    );
  fc.assert(
    fc.property(positions, ([priorities, from, to]) => {
      const rules = rulesOf(...priorities);
      const changes = new Map(prioritiesAfterMove(rules, from, to).map(each => [each.id, each]));
      const after = rules
        .map(rule => changes.get(rule.id) ?? rule)
        // Equal priorities: by name, which is the order that they had.
        .toSorted((a, b) => b.priority - a.priority || (a.id < b.id ? -1 : 1));
      const wanted = rules.map(({id}) => id);
      wanted.splice(to, 0, ...wanted.splice(from, 1));
      return from === to || after.map(({id}) => id).join('') === wanted.join('');
    }),
  );
  t.pass();
});
