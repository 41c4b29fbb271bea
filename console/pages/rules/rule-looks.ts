import {Rule_Decision as Decision} from '@muster/proto/gen/muster/v1/rules_pb.ts';
import type {Look} from '../../ui/tones.ts';

const none: Look = {word: 'No decision', tone: 'idle', icon: 'dash'};
const looks: Readonly<Record<number, Look>> = {
  [Decision.ACCEPT]: {word: 'Accept', tone: 'ok', icon: 'check'},
  [Decision.HOLD]: {word: 'Hold', tone: 'warn', icon: 'pending'},
  [Decision.REJECT]: {word: 'Reject', tone: 'bad', icon: 'cross'},
};
export const decisionLook = (decision: Decision | undefined): Look => looks[decision ?? 0] ?? none;
