import type {Build} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import {useState} from 'react';
import {useOperateReason} from '../../api/caller.ts';
import {Button, ButtonLink} from '../../ui/Button.tsx';
import {ConfirmDialog} from '../../ui/Dialog.tsx';
import {ErrorState} from '../../ui/states.tsx';
import {isLive, isRegistration} from './build-words.ts';
import {useCancelBuild, useStartBuild} from './use-build-actions.ts';

export function BuildActions({build}: {readonly build: Build}) {
  const [asks, setAsks] = useState(false);
  const disabledReason = useOperateReason(isRegistration(build) ? undefined : 'any');
  const start = useStartBuild();
  const operation = build.operation;
  return (
    <>
      {build.imageId !== '' && (
        <ButtonLink icon="image" to="/images/$id" params={{id: build.imageId}}>
          To the image
        </ButtonLink>
      )}
      {isLive(operation) ? (
        <Button
          icon="cross"
          busy={operation?.cancelRequested ?? false}
          disabledReason={disabledReason}
          onClick={() => setAsks(true)}
        >
          {operation?.cancelRequested ? 'Is being cancelled' : 'Cancel the build'}
        </Button>
      ) : (
        <Button
          icon="refresh"
          busy={start.isPending}
          disabledReason={disabledReason}
          title={
            isRegistration(build)
              ? undefined
              : 'Builds what the machine’s configuration says now; what is unchanged comes from the store'
          }
          onClick={() => start.again(build)}
        >
          Build again
        </Button>
      )}
      {asks && <CancelDialog build={build} onClose={() => setAsks(false)} />}
    </>
  );
}

function CancelDialog({build, onClose}: {readonly build: Build; readonly onClose: () => void}) {
  const cancel = useCancelBuild();
  return (
    <ConfirmDialog
      title="Cancel this build?"
      action="Cancel the build"
      busy={cancel.isPending}
      error={<ErrorState error={cancel.error} attempt="cancel the build" />}
      onConfirm={() => cancel.mutate({id: build.id}, {onSuccess: onClose})}
      onClose={onClose}
    >
      <p>
        What was built until now is thrown away.{' '}
        {isRegistration(build)
          ? 'New machines go on to boot the registration image that there is.'
          : 'The machine keeps the image that it has.'}
      </p>
      <p>You can build again at any time.</p>
    </ConfirmDialog>
  );
}
