import {MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {
  createRoute,
  createRouter,
  lazyRouteComponent,
  type RouteComponent,
  type RouterHistory,
} from '@tanstack/react-router';
import {type Api, prefetch} from './api/prefetch.ts';
import {page, pageStates, partStates, root, shell} from './route-kinds.tsx';
import {parseSearch, stringifySearch, texts} from './search-params.ts';

// The map of the console. A page is one line here and one file in pages/<nouns>/; its code is loaded when it is opened.

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
const reset = createRoute({
  getParentRoute: () => root,
  path: '/reset',
  validateSearch: texts('user'),
  component: lazyRouteComponent(() => import('./pages/sessions/ResetPage.tsx'), 'ResetPage'),
});
const oidcCallback = createRoute({
  getParentRoute: () => root,
  path: '/oidc/callback',
  component: lazyRouteComponent(
    () => import('./pages/sessions/OidcCallbackPage.tsx'),
    'OidcCallbackPage',
  ),
});

/** Without the shell: it goes to a printer. */
const machineSheet = createRoute({
  getParentRoute: () => root,
  path: '/machines/$id/sheet',
  component: lazyRouteComponent(
    () => import('./pages/machines/MachineSheetPage.tsx'),
    'MachineSheetPage',
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

const machineImport = page(
  '/machines/import',
  [],
  lazyRouteComponent(() => import('./pages/machines/import/ImportPage.tsx'), 'ImportPage'),
);
const machineSplit = page(
  '/machines/$id/split',
  ['take'],
  lazyRouteComponent(() => import('./pages/machines/split/SplitPage.tsx'), 'SplitPage'),
);
const machine = createRoute({
  getParentRoute: () => shell,
  path: '/machines/$id',
  loader: ({context, params: {id}}) => prefetch(context, MachineService.method.getMachine, {id}),
  component: lazyRouteComponent(() => import('./pages/machines/MachinePage.tsx'), 'MachinePage'),
  notFoundComponent: partStates.notFoundComponent,
});
const machineTab = <const Path extends string, const Name extends string>(
  path: Path,
  search: readonly Name[],
  component: RouteComponent,
) =>
  createRoute({
    getParentRoute: () => machine,
    path,
    validateSearch: texts(...search),
    component,
    ...partStates,
  });
const machineSummary = machineTab(
  '/',
  [],
  lazyRouteComponent(() => import('./pages/machines/tabs/SummaryTab.tsx'), 'SummaryTab'),
);
const machineBoot = machineTab(
  '/boot',
  [],
  lazyRouteComponent(() => import('./pages/machines/tabs/BootTab.tsx'), 'BootTab'),
);
const machineHardware = machineTab(
  '/hardware',
  ['version', 'against'],
  lazyRouteComponent(() => import('./pages/machines/tabs/HardwareTab.tsx'), 'HardwareTab'),
);
const machineMetrics = machineTab(
  '/metrics',
  ['from', 'until', 'range'],
  lazyRouteComponent(() => import('./pages/machines/tabs/MetricsTab.tsx'), 'MetricsTab'),
);
const machineConfig = machineTab(
  '/config',
  [],
  lazyRouteComponent(() => import('./pages/machines/tabs/ConfigTab.tsx'), 'ConfigTab'),
);
const machineImages = machineTab(
  '/images',
  [],
  lazyRouteComponent(() => import('./pages/machines/tabs/ImagesTab.tsx'), 'ImagesTab'),
);
const machineIssues = machineTab(
  '/issues',
  [],
  lazyRouteComponent(() => import('./pages/machines/tabs/IssuesTab.tsx'), 'IssuesTab'),
);
const machineEvents = machineTab(
  '/events',
  [],
  lazyRouteComponent(() => import('./pages/machines/tabs/EventsTab.tsx'), 'EventsTab'),
);
const machineAudit = machineTab(
  '/audit',
  [],
  lazyRouteComponent(() => import('./pages/machines/tabs/AuditTab.tsx'), 'AuditTab'),
);

const pending = page(
  '/pending',
  ['machine', 'with', 'tab'],
  lazyRouteComponent(() => import('./pages/pending/PendingPage.tsx'), 'PendingPage'),
);
const issues = page(
  '/issues',
  ['severity', 'source', 'kind', 'machine', 'state', 'muted', 'issue', 'tab', 'rule'],
  lazyRouteComponent(() => import('./pages/issues/IssuesPage.tsx'), 'IssuesPage'),
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
const builds = page(
  '/builds',
  ['state', 'machine', 'kind', 'image', 'template', 'since'],
  lazyRouteComponent(() => import('./pages/builds/BuildsPage.tsx'), 'BuildsPage'),
);
const build = page(
  '/builds/$id',
  ['lines'],
  lazyRouteComponent(() => import('./pages/builds/BuildPage.tsx'), 'BuildPage'),
);
const images = page(
  '/images',
  ['kind'],
  lazyRouteComponent(() => import('./pages/images/ImagesPage.tsx'), 'ImagesPage'),
);
const image = page(
  '/images/$id',
  ['machines'],
  lazyRouteComponent(() => import('./pages/images/ImagePage.tsx'), 'ImagePage'),
);
const imageTests = page(
  '/image-tests',
  ['image', 'state', 'type', 'machine', 'since', 'test', 'lines', 'log', 'mode'],
  lazyRouteComponent(() => import('./pages/image-tests/ImageTestsPage.tsx'), 'ImageTestsPage'),
);
const operations = page(
  '/operations',
  ['kind', 'state', 'machine', 'since'],
  lazyRouteComponent(() => import('./pages/operations/OperationsPage.tsx'), 'OperationsPage'),
);
const operation = page(
  '/operations/$id',
  ['state', 'wave'],
  lazyRouteComponent(() => import('./pages/operations/OperationPage.tsx'), 'OperationPage'),
);
const events = page(
  '/events',
  ['filter', 'types', 'machine', 'after'],
  lazyRouteComponent(() => import('./pages/events/EventsPage.tsx'), 'EventsPage'),
);
const boot = page(
  '/boot',
  ['explain', 'tab', 'state', 'machine', 'image', 'since', 'of', 'filter'],
  lazyRouteComponent(() => import('./pages/boot/BootPage.tsx'), 'BootPage'),
);
const workspaces = page(
  '/workspaces',
  ['workspace'],
  lazyRouteComponent(() => import('./pages/workspaces/WorkspacesPage.tsx'), 'WorkspacesPage'),
);
const people = page(
  '/people',
  ['tab', 'user'],
  lazyRouteComponent(() => import('./pages/people/PeoplePage.tsx'), 'PeoplePage'),
);
const webhooks = page(
  '/webhooks',
  ['webhook', 'state', 'delivery'],
  lazyRouteComponent(() => import('./pages/webhooks/WebhooksPage.tsx'), 'WebhooksPage'),
);
const audit = page(
  '/audit',
  ['actor', 'resource', 'outcome', 'since', 'until', 'entry'],
  lazyRouteComponent(() => import('./pages/audit/AuditPage.tsx'), 'AuditPage'),
);
const settings = page(
  '/settings',
  ['tab'],
  lazyRouteComponent(() => import('./pages/settings/SettingsPage.tsx'), 'SettingsPage'),
);

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
    machineImport,
    machineSplit,
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
  machineSheet,
  signIn,
  setup,
  reset,
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
    ...pageStates,
    scrollRestoration: true,
  });

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof createConsoleRouter>;
  }
}
