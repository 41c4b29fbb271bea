import {type Rule, RuleService} from '@muster/proto/gen/muster/v1/rules_pb.ts';
import {useAction} from '../../api/use-action.ts';
import {showFailure, showToast} from '../../ui/Toast.tsx';

/** Harmless and easily taken back: no question before, undo after. */
export function useSetDisabled() {
  const {mutate} = useAction(RuleService.method.updateRule);
  return function setDisabled(rule: Pick<Rule, 'id' | 'name'>, disabled: boolean): void {
    mutate(
      {rule: {id: rule.id, disabled}, updateMask: {paths: ['disabled']}},
      {
        onSuccess: () =>
          showToast(`Rule ${rule.name} is ${disabled ? 'disabled' : 'enabled'}`, {
            undo: () => setDisabled(rule, !disabled),
          }),
        onError: error => showFailure(error, `change rule ${rule.name}`),
      },
    );
  };
}
