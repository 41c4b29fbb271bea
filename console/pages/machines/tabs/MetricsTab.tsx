import {MetricsService} from '@muster/proto/gen/muster/v1/metrics_pb.ts';
import {useQuery} from '@connectrpc/connect-query';
import {keepPreviousData} from '@tanstack/react-query';
import {useNavigate, useSearch} from '@tanstack/react-router';
import {useMemo} from 'react';
import {Skeleton} from '../../../ui/blocks.tsx';
import {Button} from '../../../ui/Button.tsx';
import {EmptyState, ErrorState} from '../../../ui/states.tsx';
import {Chart} from '../metrics/Chart.tsx';
import {ranges, stepOf} from '../metrics/ranges.ts';
import {chartsOf, timesOf} from '../metrics/series.ts';
import {useMachine} from '../use-machine.ts';
import './metrics.css';

const samplesMax = 5000;
const againMs = 10_000;

/** What it measures. Dragging over a chart zooms all of them; the address holds what is shown. */
export function MetricsTab() {
  const {id} = useMachine();
  const {range = '1h', from, until} = useSearch({from: '/shell/machines/$id/metrics'});
  const navigate = useNavigate({from: '/machines/$id/metrics'});
  const isZoomed = from !== undefined && until !== undefined;
  const seconds = isZoomed
    ? (Date.parse(until) - Date.parse(from)) / 1000
    : (ranges.find(({id}) => id === range)?.seconds ?? 3600);
  const {data, error, isPending, refetch} = useQuery(
    MetricsService.method.listMetrics,
    {
      machineId: id,
      since: isZoomed ? from : range,
      until: isZoomed ? until : '',
      step: stepOf(seconds),
      limit: samplesMax,
    },
    {placeholderData: keepPreviousData, refetchInterval: isZoomed ? false : againMs},
  );
  // Answers come with the newest first or last: charts want time to go on.
  const metrics = useMemo(
    () =>
      (data?.metrics ?? []).toSorted(
        (a, b) => Number(a.time?.seconds ?? 0n) - Number(b.time?.seconds ?? 0n),
      ),
    [data],
  );
  const times = useMemo(() => timesOf(metrics), [metrics]);
  const charts = useMemo(() => chartsOf(metrics), [metrics]);
  const zoom = (fromS: number, untilS: number) =>
    void navigate({
      search: {range, from: isoOf(fromS), until: isoOf(untilS)},
    });
  return (
    <>
      <div className="toolbar" role="group" aria-label="Time">
        {ranges.map(({id, label}) => (
          <Button
            key={id}
            aria-pressed={!isZoomed && id === range}
            kind={!isZoomed && id === range ? 'primary' : 'plain'}
            onClick={() => void navigate({search: {range: id}})}
          >
            {label}
          </Button>
        ))}
        {isZoomed && (
          <Button icon="undo" onClick={() => void navigate({search: {range}})}>
            Zoom out
          </Button>
        )}
      </div>
      <ErrorState error={error} attempt="load its metrics" onRetry={() => void refetch()} />
      {isPending && <Skeleton lines={10} />}
      {data && charts.length === 0 && (
        <EmptyState icon="operation" title="It has measured nothing in this time">
          <p>Its agent sends samples while it runs.</p>
        </EmptyState>
      )}
      <div className="charts">
        {charts.map(chart => (
          <Chart key={chart.title} data={chart} times={times} onZoom={zoom} />
        ))}
      </div>
    </>
  );
}

const isoOf = (seconds: number): string =>
  new Date(seconds * 1000).toISOString().replace(/\.\d+Z$/, 'Z');
