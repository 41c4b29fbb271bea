import {Rule_Decision as Decision} from '@muster/proto/gen/muster/v1/rules_pb.ts';
import {lookUp} from '../../ui/tones.ts';

export const decisionLook = lookUp(
  {
    [Decision.ACCEPT]: {word: 'Accept', tone: 'ok', icon: 'check'},
    [Decision.HOLD]: {word: 'Hold', tone: 'warn', icon: 'pending'},
    [Decision.REJECT]: {word: 'Reject', tone: 'bad', icon: 'cross'},
  },
  {word: 'No decision', tone: 'idle', icon: 'dash'},
);
