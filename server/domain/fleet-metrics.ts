import type {Database} from '../store/db.ts';
import * as store from '../store/fleet-metrics.ts';
import type {FleetMachine, IssuesOfMachine, Tally} from '../store/fleet-metrics.ts';
import type {MetricsStore, Sample} from './metrics.ts';
import {type BusStatus, offlineAfterMs, type Presence, presenceOf} from './presence.ts';

export type {Tally} from '../store/fleet-metrics.ts';

/** Machines beyond are counted, but have no series of their own. */
export const machinesWithSeriesMax = 20_000;
/** What a machine measured before is no longer told as if it were so now. */
const sampleAgeMsMax = 300_000;
const recentMs = 24 * 3_600_000;

export type MeasuredMachine = FleetMachine & {
  readonly presence: Presence;
  /** Undefined when there is none of the last five minutes. */
  readonly sample: Sample | undefined;
  /** Open ones that nobody muted. */
  readonly issues: readonly Omit<IssuesOfMachine, 'machineId'>[];
};

/** The fleet at one moment, for monitoring. */
export type FleetSnapshot = {
  readonly time: Date;
  readonly machines: readonly MeasuredMachine[];
  readonly machinesLeftOut: number;
  readonly states: readonly Tally[];
  readonly presences: readonly Tally[];
  readonly builds: readonly Tally[];
  readonly operations: readonly Tally[];
  readonly issues: readonly Tally[];
  readonly services: readonly Tally[];
};

export type FleetMetrics = ReturnType<typeof createFleetMetrics>;

export function createFleetMetrics({
  sql,
  now,
  busStatus,
  metrics,
  machinesMax = machinesWithSeriesMax,
}: {
  readonly sql: Database;
  readonly now: () => Date;
  readonly busStatus: () => BusStatus;
  readonly metrics: Pick<MetricsStore, 'latestOf'>;
  readonly machinesMax?: number;
}) {
  async function measuredMachines(time: Date): Promise<readonly MeasuredMachine[]> {
    const [machines, issues] = await Promise.all([
      store.listFleetMachines(sql, machinesMax),
      store.countIssuesOfMachines(sql, time),
    ]);
    const issuesOf = Map.groupBy(issues, ({machineId}) => machineId);
    const since = new Date(time.getTime() - sampleAgeMsMax);
    const heard = machines.filter(({lastSeenTime}) => lastSeenTime && lastSeenTime >= since);
    const samples = await metrics.latestOf(
      heard.map(({id}) => id),
      since,
    );
    return machines.map(machine => ({
      ...machine,
      presence: presenceOf(machine.lastSeenTime, time, busStatus()),
      sample: samples.get(machine.id),
      issues: issuesOf.get(machine.id) ?? [],
    }));
  }

  return {
    async snapshot(): Promise<FleetSnapshot> {
      const time = now();
      const ago = (ms: number) => new Date(time.getTime() - ms);
      const [machines, states, heard, builds, operations, issues, services] = await Promise.all([
        measuredMachines(time),
        store.countMachinesByState(sql),
        store.countMachinesHeard(sql, ago(offlineAfterMs)),
        store.countBuilds(sql, ago(recentMs)),
        store.countOperations(sql, ago(recentMs)),
        store.countOpenIssues(sql, time),
        store.countServices(sql, ago(offlineAfterMs)),
      ]);
      const silent = presenceOf(undefined, time, busStatus());
      const presences = heard.map(({labels, count}) => ({
        labels: {presence: labels['heard'] === 'true' ? 'online' : silent},
        count,
      }));
      const total = states.reduce((sum, {count}) => sum + count, 0);
      const machinesLeftOut = Math.max(0, total - machines.length);
      return {
        time,
        machines,
        machinesLeftOut,
        states,
        presences,
        builds,
        operations,
        issues,
        services,
      };
    },
  };
}
