import type {DescMessage, DescMethodUnary, DescService} from '@bufbuild/protobuf';
import {useMutation} from '@connectrpc/connect-query';
import {useQueryClient} from '@tanstack/react-query';
import {reloadAnswers} from './stale.ts';

/** A call that changes something. What these services said is asked again at once: whoever changed it does not wait for the event. */
export function useChange<I extends DescMessage, O extends DescMessage>(
  method: DescMethodUnary<I, O>,
  stale: readonly DescService[],
) {
  const queryClient = useQueryClient();
  return useMutation(method, {onSuccess: () => void reloadAnswers(queryClient, stale)});
}
