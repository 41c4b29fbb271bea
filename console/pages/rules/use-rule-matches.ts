import {RuleService} from '@muster/proto/gen/muster/v1/rules_pb.ts';
import {useQuery} from '@connectrpc/connect-query';
import {keepPreviousData} from '@tanstack/react-query';
import {useDebounced} from '../../hooks/use-debounced.ts';

const settleMs = 350;

/** Dry run of a condition while it is typed, or of a rule as it is kept. */
export function useRuleMatches({ruleId = '', condition = ''}) {
  const settled = useDebounced(condition, settleMs);
  const {data, error, isPlaceholderData} = useQuery(
    RuleService.method.testRule,
    {ruleId, condition: settled, sampleSize: 10},
    {placeholderData: keepPreviousData, retry: false},
  );
  const isOld = isPlaceholderData || settled !== condition;
  return {matches: error ? undefined : data, error, isOld};
}
