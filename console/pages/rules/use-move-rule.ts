import {type Rule, RuleService} from '@muster/proto/gen/muster/v1/rules_pb.ts';
import {useAction} from '../../api/use-action.ts';
import {announce} from '../../ui/LiveRegion.tsx';
import {showFailure, showToast} from '../../ui/Toast.tsx';
import {prioritiesAfterMove} from './rule-order.ts';

type Ranked = Pick<Rule, 'id' | 'priority'>;

/** Another place in the order, by other priorities. */
export function useMoveRule(rules: readonly Rule[]) {
  const {mutateAsync, isPending} = useAction(RuleService.method.updateRule);
  const apply = async (changes: readonly Ranked[]) => {
    try {
      for (const rule of changes) await mutateAsync({rule, updateMask: {paths: ['priority']}});
      return true;
    } catch (error) {
      showFailure(error, 'move the rule');
      return false;
    }
  };
  const move = async (from: number, to: number) => {
    const changes = prioritiesAfterMove(rules, from, to);
    const before = changes.map(({id}) => rules.find(rule => rule.id === id) ?? {id, priority: 0});
    if (!(await apply(changes))) return;
    const name = rules[from]?.name ?? '';
    announce(`${name} is now number ${to + 1} of ${rules.length}`);
    showToast(`${name} is asked as number ${to + 1}`, {
      // From the bottom up: the way back.
      undo: () => void apply(before.map(({id, priority}) => ({id, priority})).toReversed()),
    });
  };
  return {move, isPending};
}
