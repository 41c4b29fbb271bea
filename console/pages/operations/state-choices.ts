import {Operation_State as State} from '@muster/proto/gen/muster/v1/operations_pb.ts';

/** What a list of operations or builds can be narrowed to. */
export const stateChoices = [
  {value: '', label: 'All'},
  {value: 'live', label: 'Under way'},
  {value: 'failed', label: 'Failed'},
  {value: 'succeeded', label: 'Succeeded'},
  {value: 'cancelled', label: 'Cancelled'},
] as const;

type Choice = (typeof stateChoices)[number]['value'];

const statesOf: Readonly<Record<Choice, State[]>> = {
  '': [],
  live: [State.QUEUED, State.RUNNING],
  failed: [State.FAILED],
  succeeded: [State.SUCCEEDED],
  cancelled: [State.CANCELLED],
};

/** The choice that the address names, and the states of it: none for all. */
export function stateChoiceOf(text: string | undefined) {
  const choice = stateChoices.find(({value}) => value === text)?.value ?? '';
  return {choice, states: statesOf[choice]};
}
