import type {InfiniteData, Query, QueryClient} from '@tanstack/react-query';
import {pagesReloadedMax} from '../table/use-keyset-rows.ts';
import type {LiveBatch} from './event-stream.ts';

/** Noun of an event ("machine" of "machine.enrolled") → the services whose answers it makes stale. */
const stale: Readonly<Record<string, readonly string[]>> = {
  machine: [
    'MachineService',
    'BootService',
    'GroupService',
    'DiscoveryService',
    'RuleService',
    'WorkspaceService',
  ],
  agent: ['MachineService'],
  enrolment: ['MachineService', 'DiscoveryService'],
  boot_session: ['BootService', 'MachineService'],
  boot_override: ['BootService', 'MachineService'],
  build: ['BuildService', 'ImageService', 'OperationService', 'MachineService', 'ImageTestService'],
  image: ['ImageService', 'MachineService'],
  image_test: ['ImageTestService'],
  image_gate: ['ImageTestService', 'MachineService', 'RolloutService'],
  operation: ['OperationService', 'BuildService'],
  bulk: ['OperationService', 'BulkService'],
  rollout: ['RolloutService', 'OperationService'],
  hardware: ['HardwareService', 'ComponentService', 'IssueService', 'MachineService'],
  component: ['ComponentService', 'IssueService'],
  issue: ['IssueService', 'MachineService'],
  image_config: ['MachineService'],
  ban: ['DiscoveryService', 'MachineService'],
  search: ['SearchService'],
  import: ['MachineService', 'GroupService'],
  issue_rule: ['IssueService'],
  // Its gate may hold back, or let through.
  group: ['GroupService', 'MachineService', 'ImageTestService'],
  rule: ['RuleService', 'DiscoveryService'],
  template: ['TemplateService'],
  workspace: ['WorkspaceService', 'MachineService', 'UserService'],
  user: ['UserService', 'SessionService'],
  session: ['SessionService'],
  token: ['TokenService'],
  service: ['ServiceService'],
  webhook: ['WebhookService'],
};

/** Answers that cost the server a look at many rows: not with each event. */
const costly: Readonly<Record<string, number>> = {
  ListMachineFacets: 3_000,
  ListMachines: 1_000,
  ListPendingMachines: 2_000,
  TestRule: 5_000,
  // Thousands of machines that boot at once tell of each step of theirs.
  ListBootSessions: 1_000,
  ListBootDecisions: 2_000,
};

type MethodKey = {
  readonly serviceName?: string;
  readonly methodName?: string;
  readonly input?: {readonly id?: unknown; readonly machineId?: unknown};
};

/** Marks stale what a batch of events tells about; what is on the screen is loaded again, the rest when it is shown. */
export function createInvalidator(queryClient: QueryClient): (batch: LiveBatch) => void {
  const lastTimes = new Map<string, number>();
  const later = new Map<string, ReturnType<typeof setTimeout>>();

  return ({events, missed}) => {
    if (missed) {
      void queryClient.invalidateQueries({}, {cancelRefetch: false});
      return;
    }

    const services = new Set<string>();
    const machineIds = new Set<string>();
    let everyMachine = false;
    for (const event of events) {
      for (const service of stale[event.type.split('.')[0] ?? ''] ?? [])
        services.add(`muster.v1.${service}`);
      if (event.machineId) machineIds.add(event.machineId);
      else everyMachine = true;
    }

    void queryClient.invalidateQueries(
      {
        predicate: query => {
          if (!isStale(query, services) || isLongList(query)) return false;
          const key = methodKeyOf(query.queryKey);
          if (!key || isHeldBack(key.methodName)) return false;
          return everyMachine || concerns(key, machineIds);
        },
      },
      // A request under way goes on: events that come faster than answers must not starve the page.
      {cancelRefetch: false},
    );
    // Pages upon pages are not loaded again unasked: the list says that it is outdated.
    void queryClient.invalidateQueries({
      predicate: query => isStale(query, services) && isLongList(query),
      refetchType: 'none',
    });
  };

  function isHeldBack(methodName = ''): boolean {
    const pauseMs = costly[methodName];
    if (pauseMs === undefined) return false;
    const now = Date.now();
    const wait = (lastTimes.get(methodName) ?? 0) + pauseMs - now;
    if (wait <= 0) {
      lastTimes.set(methodName, now);
      return false;
    }
    if (!later.has(methodName))
      later.set(
        methodName,
        setTimeout(() => {
          later.delete(methodName);
          lastTimes.set(methodName, Date.now());
          void queryClient.invalidateQueries({
            predicate: ({queryKey}) => methodKeyOf(queryKey)?.methodName === methodName,
          });
        }, wait),
      );
    return true;
  }
}

const isStale = ({queryKey}: Query, services: ReadonlySet<string>): boolean =>
  services.has(methodKeyOf(queryKey)?.serviceName ?? '');

const isLongList = ({state: {data}}: Query): boolean =>
  ((data as Partial<InfiniteData<unknown>> | undefined)?.pages?.length ?? 0) > pagesReloadedMax;

const methodKeyOf = (queryKey: readonly unknown[]): MethodKey | undefined =>
  queryKey[0] === 'connect-query' ? (queryKey[1] as MethodKey) : undefined;

/** An answer about one machine is stale by events of that machine only. */
function concerns({input, serviceName}: MethodKey, machineIds: ReadonlySet<string>): boolean {
  const id = input?.machineId || (serviceName === 'muster.v1.MachineService' && input?.id);
  // Machines may be asked for by serial or MAC: then any event counts.
  if (typeof id !== 'string' || id.length !== 36) return true;
  return machineIds.has(id);
}
