import type {MachineState} from '../store/machines.ts';

/** Who is let in: everybody with a boot token, everybody whom an operator accepts, or only who is expected. */
export const acceptancePolicies = ['open', 'approve', 'expected-only'] as const;
export type AcceptancePolicy = (typeof acceptancePolicies)[number];

/** `keep`: the machine's state has been decided before. */
export type Acceptance = 'enrolled' | 'pending' | 'refuse' | 'keep';

const strangers: Readonly<Record<AcceptancePolicy, Acceptance>> = {
  open: 'enrolled',
  approve: 'pending',
  'expected-only': 'refuse',
};

/** What becomes of a machine that enrols with a valid boot token; undefined: nobody knew it. */
export function acceptanceOf(
  policy: AcceptancePolicy,
  machine: {readonly state: MachineState; readonly expected: boolean} | undefined,
): Acceptance {
  switch (machine?.state) {
    case undefined:
    case 'expected':
    case 'discovered':
      if (machine?.expected) return policy === 'approve' ? 'pending' : 'enrolled';
      return strangers[policy];
    case 'pending':
      return policy === 'open' ? 'enrolled' : 'keep';
    case 'retired':
      return policy === 'expected-only' ? 'refuse' : 'pending';
    case 'rejected':
      return 'refuse';
    default:
      return 'keep';
  }
}

/** A machine that was only seen, on a site that takes no strangers. */
export function isStranger(
  policy: AcceptancePolicy,
  {state, expected}: {readonly state: MachineState; readonly expected: boolean},
): boolean {
  return policy === 'expected-only' && state === 'discovered' && !expected;
}
