import {CreateBulkRequest_Operation as Action} from '@muster/proto/gen/muster/v1/bulk_pb.ts';
import type {IconName} from '../../../ui/icons.tsx';

export type BulkAction = {
  readonly action: Action;
  readonly label: string;
  readonly icon: IconName;
  /** What comes of it, for the one who asks for it. */
  readonly consequence: string;
  /** Takes something away that does not come back: the sentence has to be typed. */
  readonly isDestructive?: boolean;
};

export const bulkActions: readonly BulkAction[] = [
  {
    action: Action.BUILD,
    label: 'Build',
    icon: 'build',
    consequence:
      'Builds and tests an image for each machine. Machines in service keep running what they run, until they boot again.',
  },
  {
    action: Action.REBOOT,
    label: 'Reboot',
    icon: 'refresh',
    consequence: 'Tells the agent of each machine to reboot. What runs on them is interrupted.',
  },
  {
    action: Action.LABEL,
    label: 'Label',
    icon: 'template',
    consequence: 'Sets and removes labels. Groups and rules that look at them follow.',
  },
  {
    action: Action.ASSIGN,
    label: 'Assign',
    icon: 'workspace',
    consequence: 'Assigns the machines to a workspace, within its quota.',
  },
  {
    action: Action.RELEASE,
    label: 'Release',
    icon: 'undo',
    consequence: 'Releases the machines from a workspace. Its people no longer see them.',
  },
  {
    action: Action.DELETE,
    label: 'Delete',
    icon: 'trash',
    consequence:
      'Removes machines that are not in service, with their inventory, metrics and boot history. This cannot be undone; a machine that boots again is a new one.',
    isDestructive: true,
  },
];
