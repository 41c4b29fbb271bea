import {
  HardwareService,
  type ListHardwareVersionsResponse,
} from '@muster/proto/gen/muster/v1/hardware_pb.ts';
import {Code} from '@connectrpc/connect';
import {skipToken, useQuery} from '@connectrpc/connect-query';
import {useNavigate, useSearch} from '@tanstack/react-router';
import {useMemo} from 'react';
import {isCode} from '../../../api/errors.ts';
import {MoreRows} from '../../../table/MoreRows.tsx';
import {useKeysetRows} from '../../../table/use-keyset-rows.ts';
import {Card, Skeleton} from '../../../ui/blocks.tsx';
import {plural} from '../../../ui/format.ts';
import {RelativeTime} from '../../../ui/RelativeTime.tsx';
import {EmptyState, ErrorState} from '../../../ui/states.tsx';
import {HardwareChanges} from '../hardware/HardwareChanges.tsx';
import {HardwareTree} from '../hardware/HardwareTree.tsx';
import {useMachine} from '../use-machine.ts';

const versionsOf = (page: ListHardwareVersionsResponse) => page.versions;

/** The inventory as it is or was, and what changed from version to version. */
export function HardwareTab() {
  const {id} = useMachine();
  const {version} = useSearch({from: '/shell/machines/$id/hardware'});
  const navigate = useNavigate({from: '/machines/$id/hardware'});
  const number = Number(version ?? 0);
  const newest = useQuery(
    HardwareService.method.getHardware,
    number === 0 ? {machineId: id} : skipToken,
  );
  const older = useQuery(
    HardwareService.method.getHardwareVersion,
    number > 0 ? {machineId: id, number} : skipToken,
  );
  const input = useMemo(() => ({machineId: id, pageSize: 50}), [id]);
  const versions = useKeysetRows(HardwareService.method.listHardwareVersions, input, versionsOf);
  const hardware = number > 0 ? older.data?.version?.hardware : newest.data?.hardware;
  const error = number > 0 ? older.error : newest.error;

  if (isCode(error, Code.NotFound) && number === 0)
    return (
      <EmptyState icon="machine" title="Its hardware is not known yet">
        <p>Its agent reports it after it has booted the registration image.</p>
      </EmptyState>
    );
  return (
    <div className="hardware-page">
      <div className="page">
        {number > 1 && <HardwareChanges machineId={id} from={number - 1} to={number} />}
        <ErrorState error={error} attempt="load its hardware" />
        {!hardware && !error && <Skeleton lines={10} />}
        {hardware && <HardwareTree hardware={hardware} />}
      </div>
      <Card title="History" flush>
        <ErrorState error={versions.error} attempt="load its history" />
        {versions.rows.map((item, index) => {
          const isShown = number === 0 ? index === 0 : item.number === number;
          return (
            <button
              key={item.number}
              type="button"
              className="version"
              aria-pressed={isShown}
              onClick={() => void navigate({search: {version: String(item.number)}})}
            >
              <span>
                Version {item.number} · <RelativeTime time={item.createTime} />
              </span>
              {item.summaries.map(summary => (
                <span key={summary} className="muted">
                  {summary}
                </span>
              ))}
              {item.number === 1 && <span className="muted">{plural(item.partCount, 'part')}</span>}
            </button>
          );
        })}
        <MoreRows list={versions}>Older ones</MoreRows>
      </Card>
    </div>
  );
}
