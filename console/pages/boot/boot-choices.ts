import {BootSession_State as State} from '@muster/proto/gen/muster/v1/boot_pb.ts';

/** What the list of boots can be narrowed to, as the address names it. */
export const bootChoices = [
  {value: '', label: 'All'},
  {value: 'open', label: 'Under way'},
  {value: 'stalled', label: 'Stalled'},
  {value: 'completed', label: 'Booted'},
] as const;

type Choice = (typeof bootChoices)[number]['value'];

const statesOf: Readonly<Record<Choice, State[]>> = {
  '': [],
  open: [State.OPEN],
  stalled: [State.STALLED],
  completed: [State.COMPLETED],
};

export function bootChoiceOf(text: string | undefined) {
  const choice = bootChoices.find(({value}) => value === text)?.value ?? '';
  return {choice, states: statesOf[choice]};
}

/** What people decided: of the next boot, or of all. */
export const overrideChoices = [
  {value: '', label: 'All'},
  {value: 'next', label: 'The next boot'},
  {value: 'entry', label: 'All boots'},
] as const;

export function overrideChoiceOf(text: string | undefined) {
  const choice = overrideChoices.find(({value}) => value === text)?.value ?? '';
  return {choice, query: choice === '' ? {} : {persistent: choice === 'entry'}};
}
