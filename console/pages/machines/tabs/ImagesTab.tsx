import {BootAction, BootService} from '@muster/proto/gen/muster/v1/boot_pb.ts';
import {ImageService} from '@muster/proto/gen/muster/v1/images_pb.ts';
import {useMutation, useQuery} from '@connectrpc/connect-query';
import {Link} from '@tanstack/react-router';
import {useState} from 'react';
import {useOperateReason} from '../../../api/caller.ts';
import {Badge} from '../../../ui/Badge.tsx';
import {Card, KeyValues} from '../../../ui/blocks.tsx';
import {Button} from '../../../ui/Button.tsx';
import {CopyButton} from '../../../ui/CopyButton.tsx';
import {ConfirmDialog} from '../../../ui/Dialog.tsx';
import {formatBytes} from '../../../ui/format.ts';
import {RelativeTime} from '../../../ui/RelativeTime.tsx';
import {EmptyState, ErrorState, Notice} from '../../../ui/states.tsx';
import {showToast} from '../../../ui/Toast.tsx';
import {bootTestLook} from '../../images/image-columns.tsx';
import {imageBytes} from '../../images/image-files.ts';
import {ImageLink} from '../../images/ImageLink.tsx';
import {GateCard} from '../GateCard.tsx';
import {machineName} from '../machine-name.ts';
import {MachineTestsCard} from '../MachineTestsCard.tsx';
import {useGate} from '../use-gate.ts';
import {useMachine} from '../use-machine.ts';

/** What it shall run, what it runs, what it could go back to. */
export function ImagesTab() {
  const machine = useMachine();
  const {desiredImageId, bootedImageId, lastGoodImageId, badImageIds} = machine;
  const roles = new Map<string, string[]>();
  const add = (id: string, role: string) => {
    if (id !== '') roles.set(id, [...(roles.get(id) ?? []), role]);
  };
  add(desiredImageId, 'desired');
  add(bootedImageId, 'booted');
  add(lastGoodImageId, 'last that worked');
  for (const id of badImageIds) add(id, 'failed on this machine');
  const {gate, error: gateError} = useGate(machine.id);
  if (gate?.held) add(gate.imageId, 'held back');
  return (
    <>
      <ErrorState error={gateError} attempt="read its gate" />
      {roles.size === 0 && (
        <EmptyState icon="image" title="It has no image yet">
          <p>Give it a configuration and build it.</p>
        </EmptyState>
      )}
      {gate && <GateCard gate={gate} />}
      {desiredImageId !== '' && bootedImageId !== '' && desiredImageId !== bootedImageId && (
        <Notice tone="info" icon="info">
          It runs another image than it shall: the desired one comes with its next boot.
        </Notice>
      )}
      {[...roles].map(([id, words]) => (
        <ImageCard key={id} id={id} roles={words} />
      ))}
      <MachineTestsCard machineId={machine.id} />
    </>
  );
}

function ImageCard({id, roles}: {readonly id: string; readonly roles: readonly string[]}) {
  const machine = useMachine();
  const {data, error} = useQuery(ImageService.method.getImage, {id});
  const image = data?.image;
  const [asked, setAsked] = useState(false);
  const mayNot = useOperateReason(machine.workspaceId);
  const clear = useMutation(BootService.method.clearBootOverride);
  const boot = useMutation(BootService.method.setBootOverride, {
    onSuccess: () => {
      setAsked(false);
      showToast('It boots this image from its next boot on', {
        undo: () => clear.mutate({machineId: machine.id, persistent: true}),
      });
    },
  });
  // An image that is held back is newer than what it has: there is no going back to it.
  const canGoBack = !roles.includes('desired') && !roles.includes('held back');
  return (
    <Card
      title={
        <>
          <ImageLink id={id} /> <span className="muted">{roles.join(', ')}</span>
        </>
      }
      actions={
        canGoBack && (
          <Button icon="undo" disabledReason={mayNot} onClick={() => setAsked(true)}>
            Go back to it
          </Button>
        )
      }
    >
      <ErrorState error={error} attempt="load this image" />
      {image && (
        <KeyValues
          entries={[
            [
              'Id',
              <>
                <span className="mono">{id}</span>{' '}
                <CopyButton text={id} what="the id of the image" />
              </>,
            ],
            ['Made', <RelativeTime time={image.createTime} />],
            ['Back end', image.backend],
            ['Size', formatBytes(imageBytes(image))],
            ['Boot tests', <Badge key="tests" look={bootTestLook(image)} />],
            [
              'Build',
              image.buildId && (
                <Link to="/builds/$id" params={{id: image.buildId}}>
                  Its log
                </Link>
              ),
            ],
          ]}
        />
      )}
      {asked && (
        <ConfirmDialog
          title={`Let ${machineName(machine)} boot this image?`}
          action="Set its boot entry"
          busy={boot.isPending}
          error={<ErrorState error={boot.error} attempt="set its boot entry" />}
          onConfirm={() =>
            boot.mutate({
              machineId: machine.id,
              action: BootAction.IMAGE,
              imageId: id,
              persistent: true,
            })
          }
          onClose={() => setAsked(false)}
        >
          A boot entry makes it boot this image at every boot, whatever is built for it, until the
          entry is cleared (Boot tab). Nothing happens before it boots again.
        </ConfirmDialog>
      )}
    </Card>
  );
}
