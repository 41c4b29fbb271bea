import {SessionService} from '@muster/proto/gen/muster/v1/sessions_pb.ts';
import {MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {Code, ConnectError} from '@connectrpc/connect';
import {createQueryOptions} from '@connectrpc/connect-query';
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
  type RouteComponent,
  type RouterHistory,
} from '@tanstack/react-router';
import {type Api, prefetch} from './api/prefetch.ts';
import {ErrorPage} from './pages/ErrorPage.tsx';
import {NotFoundPage} from './pages/NotFoundPage.tsx';
import {notHere} from './pages/NotHerePage.tsx';
import {parseSearch, stringifySearch, texts} from './search-params.ts';
import {Skeleton} from './ui/blocks.tsx';
import {Shell} from './ui/Shell.tsx';

// The map of the console. A page is one line here and one file in pages/<nouns>/; its code is loaded when it is opened.

const root = createRootRouteWithContext<Api>()({component: Outlet});

/** Everything that takes a session. */
const shell = createRoute({
  getParentRoute: () => root,
  id: 'shell',
  component: Shell,
  beforeLoad: async ({context: {queryClient, transport}, location}) => {
    const caller = createQueryOptions(SessionService.method.getCaller, {}, {transport});
    try {
      await queryClient.ensureQueryData({...caller, revalidateIfStale: true});
    } catch (error) {
      if (ConnectError.from(error).code !== Code.Unauthenticated) throw error;
      throw redirect({
        to: '/sign-in',
        search: location.href === '/' ? {} : {next: location.href},
      });
    }
  },
});

/** A page inside, and which texts of the address it understands. */
const page = <const Path extends string, const Name extends string>(
  path: Path,
  search: readonly Name[],
  component: RouteComponent,
) => createRoute({getParentRoute: () => shell, path, validateSearch: texts(...search), component});

const signIn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in',
  validateSearch: texts('next'),
  component: lazyRouteComponent(() => import('./pages/sessions/SignInPage.tsx'), 'SignInPage'),
});
const setup = createRoute({
  getParentRoute: () => root,
  path: '/setup',
  component: lazyRouteComponent(() => import('./pages/sessions/SetupPage.tsx'), 'SetupPage'),
});
const oidcCallback = createRoute({
  getParentRoute: () => root,
  path: '/oidc/callback',
  component: lazyRouteComponent(
    () => import('./pages/sessions/OidcCallbackPage.tsx'),
    'OidcCallbackPage',
  ),
});

const overview = page(
  '/',
  [],
  lazyRouteComponent(() => import('./pages/overview/OverviewPage.tsx'), 'OverviewPage'),
);

const machines = page(
  '/machines',
  ['filter', 'order', 'columns'],
  lazyRouteComponent(() => import('./pages/machines/MachinesPage.tsx'), 'MachinesPage'),
);

const machine = createRoute({
  getParentRoute: () => shell,
  path: '/machines/$id',
  loader: ({context, params: {id}}) => prefetch(context, MachineService.method.getMachine, {id}),
  component: lazyRouteComponent(() => import('./pages/machines/MachinePage.tsx'), 'MachinePage'),
});
const machineTab = <const Path extends string, const Name extends string>(
  path: Path,
  search: readonly Name[],
  component: RouteComponent,
) =>
  createRoute({getParentRoute: () => machine, path, validateSearch: texts(...search), component});
const machineSummary = machineTab(
  '/',
  [],
  lazyRouteComponent(() => import('./pages/machines/tabs/SummaryTab.tsx'), 'SummaryTab'),
);
const machineBoot = machineTab('/boot', [], notHere('Boot', 'muster boot explain MACHINE'));
const machineHardware = machineTab(
  '/hardware',
  ['version', 'against'],
  notHere('Hardware', 'muster hardware get MACHINE'),
);
const machineMetrics = machineTab(
  '/metrics',
  ['from', 'until', 'range'],
  notHere('Metrics', 'muster metrics history MACHINE'),
);
const machineConfig = machineTab(
  '/config',
  [],
  notHere('Configuration', 'muster machines update MACHINE --nixos-config FILE'),
);
const machineImages = machineTab('/images', [], notHere('Images', 'muster images list'));
const machineIssues = machineTab(
  '/issues',
  [],
  notHere('Issues', 'muster issues list --machine MACHINE'),
);
const machineEvents = machineTab(
  '/events',
  [],
  notHere('Events', 'muster events list --machine MACHINE'),
);
const machineAudit = machineTab('/audit', [], notHere('Audit', 'muster audit list'));

const pending = page(
  '/pending',
  ['machine', 'with', 'tab'],
  lazyRouteComponent(() => import('./pages/pending/PendingPage.tsx'), 'PendingPage'),
);
const issues = page(
  '/issues',
  ['severity', 'source', 'kind', 'cleared', 'issue'],
  notHere('Issues', 'muster issues list'),
);
const groups = page(
  '/groups',
  ['group', 'mode', 'filter', 'machine'],
  lazyRouteComponent(() => import('./pages/groups/GroupsPage.tsx'), 'GroupsPage'),
);
const rules = page(
  '/rules',
  ['rule', 'mode', 'machine'],
  lazyRouteComponent(() => import('./pages/rules/RulesPage.tsx'), 'RulesPage'),
);
const templates = page(
  '/templates',
  ['template', 'version', 'against', 'tab', 'mode'],
  lazyRouteComponent(() => import('./pages/templates/TemplatesPage.tsx'), 'TemplatesPage'),
);
const builds = page('/builds', ['state'], notHere('Builds', 'muster builds list'));
const build = page('/builds/$id', [], notHere('Build', 'muster builds watch BUILD'));
const images = page('/images', [], notHere('Images', 'muster images list'));
const image = page('/images/$id', [], notHere('Image', 'muster images get IMAGE'));
const imageTests = page('/image-tests', [], notHere('Image tests', 'muster images get IMAGE'));
const operations = page(
  '/operations',
  ['kind', 'state'],
  notHere('Operations', 'muster operations list'),
);
const operation = page(
  '/operations/$id',
  [],
  notHere('Operation', 'muster operations watch OPERATION'),
);
const events = page(
  '/events',
  ['filter', 'types', 'machine'],
  notHere('Events', 'muster events watch'),
);
const boot = page('/boot', ['explain'], notHere('Boot', 'muster boot explain MACHINE'));
const workspaces = page(
  '/workspaces',
  ['workspace'],
  notHere('Workspaces', 'muster workspaces list'),
);
const people = page('/people', ['tab', 'user'], notHere('People', 'muster users list'));
const webhooks = page('/webhooks', ['webhook'], notHere('Webhooks', 'muster webhooks list'));
const audit = page('/audit', ['filter'], notHere('Audit', 'muster audit list'));
const settings = page('/settings', ['tab'], notHere('Settings', 'muster services list'));

const tabs = [
  machineSummary,
  machineBoot,
  machineHardware,
  machineMetrics,
  machineConfig,
  machineImages,
  machineIssues,
  machineEvents,
  machineAudit,
] as const;

const tree = root.addChildren([
  shell.addChildren([
    overview,
    machines,
    machine.addChildren(tabs),
    pending,
    issues,
    groups,
    rules,
    templates,
    builds,
    build,
    images,
    image,
    imageTests,
    operations,
    operation,
    events,
    boot,
    workspaces,
    people,
    webhooks,
    audit,
    settings,
  ]),
  signIn,
  setup,
  oidcCallback,
]);

export const createConsoleRouter = (context: Api, history?: RouterHistory) =>
  createRouter({
    routeTree: tree,
    context,
    ...(history && {history}),
    parseSearch: query => parseSearch(query),
    stringifySearch,
    defaultPreload: 'intent',
    // Queries know how old they are; the router need not.
    defaultPreloadStaleTime: 0,
    defaultNotFoundComponent: NotFoundPage,
    defaultErrorComponent: ErrorPage,
    defaultPendingComponent: () => <Skeleton lines={8} />,
    scrollRestoration: true,
  });

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof createConsoleRouter>;
  }
}
