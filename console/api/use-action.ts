import type {DescMessage, DescMethodUnary, DescService, MessageShape} from '@bufbuild/protobuf';
import {useMutation} from '@connectrpc/connect-query';
import {useQueryClient} from '@tanstack/react-query';
import {showFailure, showToast} from '../ui/Toast.tsx';
import {reloadAnswers} from './stale.ts';

type Done = {readonly text: string; readonly undo?: () => void};

type ActionOptions<O extends DescMessage> = {
  /** Completes "Cannot …" in a toast. Forms leave it out and show the error themselves. */
  readonly attempt?: string;
  /** What the toast says when it is done. */
  readonly done?: (output: MessageShape<O>) => string | Done;
  readonly onDone?: (output: MessageShape<O>) => void;
  /** Other services whose answers it changes. */
  readonly also?: readonly DescService[];
};

/** A call that changes something: what is shown of its service is loaded again at once, without waiting for the event. */
export function useAction<I extends DescMessage, O extends DescMessage>(
  method: DescMethodUnary<I, O>,
  {attempt, done, onDone, also = []}: ActionOptions<O> = {},
) {
  const queryClient = useQueryClient();
  return useMutation(method, {
    onSuccess: output => {
      void reloadAnswers(queryClient, [method.parent, ...also]);
      const said = done?.(output);
      if (typeof said === 'string') showToast(said);
      else if (said) showToast(said.text, said.undo ? {undo: said.undo} : {});
      onDone?.(output);
    },
    onError: error => {
      if (attempt !== undefined) showFailure(error, attempt);
    },
  });
}
