import type {Issue} from '@muster/proto/gen/muster/v1/issues_pb.ts';
import {ButtonLink} from '../../ui/Button.tsx';

/** Where records and boxes are set right; nothing for issues of other kinds. */
export function IdentityLinks({issue: {kind, machineId}}: {readonly issue: Issue}) {
  if (kind !== 'duplicate_identity' || machineId === '') return null;
  return (
    <div className="pane-actions">
      <ButtonLink to="/pending" search={{machine: machineId}} icon="search">
        Compare the records
      </ButtonLink>
      <ButtonLink to="/machines/$id/split" params={{id: machineId}} icon="split">
        Split the record
      </ButtonLink>
    </div>
  );
}
