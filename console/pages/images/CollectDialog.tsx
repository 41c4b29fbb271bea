import {ImageService} from '@muster/proto/gen/muster/v1/images_pb.ts';
import {useMutation, useQuery} from '@connectrpc/connect-query';
import {useQueryClient} from '@tanstack/react-query';
import {useState} from 'react';
import {SelectField} from '../../forms/fields.tsx';
import {Skeleton} from '../../ui/blocks.tsx';
import {ConfirmDialog} from '../../ui/Dialog.tsx';
import {formatBytes, plural} from '../../ui/format.ts';
import {ErrorState} from '../../ui/states.tsx';
import {showToast} from '../../ui/Toast.tsx';

const ages = [
  {value: '24', label: 'a day'},
  {value: '168', label: 'a week'},
  {value: '720', label: '30 days'},
] as const;
const shownMax = 8;

/** Says first what would go (a dry run), then removes it. */
export function CollectDialog({onClose}: {readonly onClose: () => void}) {
  const queryClient = useQueryClient();
  const [age, setAge] = useState('24');
  const minimumAgeHours = Number(age);
  const plan = useQuery(
    ImageService.method.collectImages,
    {dryRun: true, minimumAgeHours},
    {staleTime: 0, gcTime: 0},
  );
  const collect = useMutation(ImageService.method.collectImages, {
    onSuccess: ({imageIds, freedBytes}) => {
      showToast(`Removed ${plural(imageIds.length, 'image')}: ${formatBytes(freedBytes)} are free`);
      void queryClient.invalidateQueries();
      onClose();
    },
  });
  const count = plan.data?.imageIds.length ?? 0;
  const nothing = plan.data !== undefined && count === 0 && plan.data.fileCount === 0;
  const error = collect.error ?? plan.error;
  return (
    <ConfirmDialog
      title="Collect unused images"
      action={nothing ? 'Nothing to remove' : `Remove ${plural(count, 'image')}`}
      {...(nothing ? {} : {typeToConfirm: 'collect'})}
      busy={collect.isPending || plan.isPending}
      disabledReason={nothing ? 'Everything that is this old is still needed' : undefined}
      error={<ErrorState error={error} attempt="collect images" />}
      onConfirm={() => collect.mutate({dryRun: false, minimumAgeHours})}
      onClose={onClose}
    >
      <p>
        Removes images that no machine desires, has booted, falls back on or is told to boot, and
        files that no image needs. It cannot be undone; an image can be built again from its
        configuration.
      </p>
      <SelectField
        label="Keep what is younger than"
        choices={ages}
        value={age}
        onChange={event => setAge(event.target.value)}
      />
      {plan.isPending && <Skeleton lines={2} />}
      {plan.data && (
        <div aria-live="polite">
          <p>
            {nothing ? (
              'Everything that is this old is still needed.'
            ) : (
              <>
                <strong>{plural(count, 'image')}</strong> and{' '}
                <strong>{plural(plan.data.fileCount, 'file')}</strong> would go and free{' '}
                <strong>{formatBytes(plan.data.freedBytes)}</strong>.
              </>
            )}
          </p>
          <ul className="mono muted">
            {plan.data.imageIds.slice(0, shownMax).map(id => (
              <li key={id}>{id.slice(0, 24)}…</li>
            ))}
            {count > shownMax && <li>and {plural(count - shownMax, 'more', 'more')}</li>}
          </ul>
        </div>
      )}
    </ConfirmDialog>
  );
}
