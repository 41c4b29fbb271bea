import {
  type BootOverride,
  BootService,
  type ListBootOverridesResponse,
} from '@muster/proto/gen/muster/v1/boot_pb.ts';
import {useNavigate, useSearch} from '@tanstack/react-router';
import {useOperateReason} from '../../api/caller.ts';
import {MoreRows} from '../../table/MoreRows.tsx';
import {useKeysetRows} from '../../table/use-keyset-rows.ts';
import {Card, Skeleton} from '../../ui/blocks.tsx';
import {Choices} from '../../ui/Choices.tsx';
import {RelativeTime} from '../../ui/RelativeTime.tsx';
import {EmptyState, ErrorState} from '../../ui/states.tsx';
import {ImageLink} from '../images/ImageLink.tsx';
import {MachineChip} from '../machines/MachineChip.tsx';
import {MachineLink} from '../machines/MachineLink.tsx';
import {overrideChoiceOf, overrideChoices} from './boot-choices.ts';
import {bootTargetWord} from './boot-words.ts';
import {TakeBack} from './BootExplain.tsx';

const pageSize = 50;
const overridesOf = ({bootOverrides}: ListBootOverridesResponse): readonly BootOverride[] =>
  bootOverrides;

/** What people decided over the head of the life cycle, and what still holds. */
export function BootOverrides() {
  const {of, machine = ''} = useSearch({from: '/shell/boot'});
  const navigate = useNavigate({from: '/boot'});
  const {choice, query} = overrideChoiceOf(of);
  const disabledReason = useOperateReason('any');
  const list = useKeysetRows(
    BootService.method.listBootOverrides,
    {pageSize, machineId: machine, ...query},
    overridesOf,
  );
  return (
    <>
      <div className="toolbar">
        <Choices
          label="Of which boots"
          items={overrideChoices}
          value={choice}
          onChange={of => void navigate({search: old => ({...old, of: of || undefined})})}
        />
        <MachineChip
          id={machine}
          onRemove={() => void navigate({search: old => ({...old, machine: undefined})})}
        />
      </div>
      <ErrorState error={list.error} attempt="list what was decided" onRetry={list.refresh} />
      <Card flush>
        {list.isLoading && (
          <div className="boot-loading">
            <Skeleton lines={3} />
          </div>
        )}
        {!list.isLoading && !list.error && list.rows.length === 0 && <NoOverrides />}
        <ul className="boot-entries">
          {list.rows.map(override => (
            <OverrideRow
              key={`${override.machineId} ${override.persistent}`}
              override={override}
              disabledReason={disabledReason}
            />
          ))}
        </ul>
        <MoreRows list={list}>Older ones</MoreRows>
      </Card>
    </>
  );
}

function OverrideRow({
  override,
  disabledReason,
}: {
  readonly override: BootOverride;
  readonly disabledReason: string | undefined;
}) {
  const {machineId, persistent, action, imageId, actor, createTime, expireTime, given} = override;
  return (
    <li>
      <MachineLink id={machineId} />
      <span>
        {persistent ? 'All boots' : 'Next boot'}: {bootTargetWord(action)}{' '}
        <ImageLink id={imageId} />
      </span>
      <span className="muted">
        {actor && `${actor}, `}
        <RelativeTime time={createTime} />
        {expireTime && (
          <>
            {given ? '; a boot has it, over ' : '; over '}
            <RelativeTime time={expireTime} />
          </>
        )}
      </span>
      <TakeBack machineId={machineId} persistent={persistent} disabledReason={disabledReason} />
    </li>
  );
}

function NoOverrides() {
  return (
    <EmptyState icon="rule" title="Nobody decided a boot by hand">
      <p>
        Every machine boots what its state says. Type one above to decide otherwise, or run{' '}
        <code>muster boot override MACHINE --local-disk</code>.
      </p>
    </EmptyState>
  );
}
