import type {FleetReport, FleetStatus} from '@muster/simulator/fleet.ts';
import type {Timing} from '@muster/simulator/statistics.ts';
import type {Verdict} from '@muster/simulator/verify.ts';
import {type Output, progressBar} from '../output.ts';

const plainEverySeconds = 10;

/** A bar for a person; a line every ten seconds, on standard error, for a log. */
export function createProgress(
  out: Output,
  remark: (text: string) => void,
  forSeconds: number | undefined,
): (status: FleetStatus) => void {
  let nextSeconds = 0;
  let streamingFrom: number | undefined;
  return status => {
    if (status.phase === 'streaming') streamingFrom ??= status.seconds;
    const text = describeStatus(status, percentOf(status, streamingFrom, forSeconds));
    if (out.interactive) return out.progress(text);
    if (status.seconds < nextSeconds) return;
    nextSeconds = status.seconds + plainEverySeconds;
    remark(text);
  };
}

/** Undefined for a run without an end. */
function percentOf(
  {phase, machines, states, seconds}: FleetStatus,
  streamingFrom: number | undefined,
  forSeconds: number | undefined,
): number | undefined {
  if (phase === 'starting') return (100 * (machines - states.off)) / machines;
  if (phase !== 'streaming') return 100;
  if (forSeconds === undefined || streamingFrom === undefined) return undefined;
  return (100 * (seconds - streamingFrom)) / forSeconds;
}

export function describeStatus(status: FleetStatus, percent: number | undefined): string {
  const {phase, states, active, samplesSent, samplesReceipted, machines} = status;
  const bar = percent === undefined ? '' : `${progressBar(percent)}  `;
  const away = states.off + states['local disk'];
  return `${bar}${phase}: ${states.running} of ${machines} run (${active} their own image), ${states.booting + states.enrolling} boot, ${away} away; samples ${samplesSent} sent, ${samplesReceipted} receipted`;
}

/** What a person reads at the end. */
export function showSummary(
  out: Output,
  {
    report,
    states,
    verdict,
  }: {
    readonly report: FleetReport;
    readonly states: ReadonlyMap<string, number>;
    readonly verdict: Verdict | undefined;
  },
): void {
  const {counts, timings, failures} = report;
  const enrolled = report.records.length;
  const rate = report.samplesReceipted / Math.max(1, report.seconds);
  const faults = Object.entries(report.faults).filter(([, count]) => count > 0);
  out.record({
    machines: `${report.machines}, of which ${enrolled} enrolled`,
    'on the server': [...states].map(([state, count]) => `${count} ${state}`).join(', '),
    faults: faults.map(([kind, count]) => `${count} ${kind}`).join(', '),
    'took place': Object.entries(counts)
      .map(([name, count]) => `${count} ${name}`)
      .join(', '),
    samples: `${report.samplesMade} taken, ${report.samplesSent} sent, ${report.samplesReceipted} receipted (${rate.toFixed(1)} a second)`,
    'never sent': `${report.samplesMade - report.samplesSent} samples of machines that went down`,
    time: `${report.seconds.toFixed(0)} s, of which ${report.streamingSeconds.toFixed(0)} s with all machines started`,
  });
  out.line('');
  out.table(
    [
      {title: 'STAGE', value: ([name]) => name},
      {title: 'COUNT', value: ([, {count}]) => String(count)},
      {title: 'P50', value: ([, {p50Ms}]) => `${p50Ms} ms`},
      {title: 'P99', value: ([, {p99Ms}]) => `${p99Ms} ms`},
      {title: 'MAX', value: ([, {maxMs}]) => `${maxMs} ms`},
    ],
    Object.entries(timings) as readonly (readonly [string, Timing])[],
  );
  const failed = Object.entries(failures);
  if (failed.length > 0) {
    out.line('');
    out.table(
      [
        {title: 'FAILURES', value: ([, count]) => String(count)},
        {title: 'KIND', value: ([kind]) => kind},
      ],
      failed,
    );
  }
  if (verdict) showVerdict(out, verdict);
}

export function showVerdict(out: Output, verdict: Verdict): void {
  out.line('');
  out.record({
    compared: `${verdict.machines} machines: ${verdict.stored} samples stored, ${verdict.receipted} receipted`,
    lost: String(verdict.lost),
    twice: String(verdict.twice),
    'never sent': String(verdict.invented),
    'stored, receipt not heard': String(verdict.unreceipted),
  });
  for (const problem of verdict.problems) out.line(problem);
}
