import {Issue_Severity as Severity, IssueService} from '@muster/proto/gen/muster/v1/issues_pb.ts';
import test from 'ava';
import {findBarriers} from '../../mock/axe.ts';
import {addBoot} from '../../mock/boot.ts';
import {addBuilds} from '../../mock/builds.ts';
import {addEvents} from '../../mock/events.ts';
import {addMachines} from '../../mock/machines.ts';
import {renderConsole} from '../../mock/render.tsx';
import {addServices} from '../../mock/services.ts';
import {addSessions} from '../../mock/sessions.ts';
import type {MockNoun} from '../../mock/transport.ts';
import {addWorkspaces} from '../../mock/workspaces.ts';

const {within} = await import('@testing-library/react');

const addSummary: MockNoun = router => {
  const critical = {kind: 'disk_failing', severity: Severity.CRITICAL};
  const counts = [
    {...critical, open: 3, acknowledged: 2, muted: 7},
    {kind: 'temperature', severity: Severity.WARNING, open: 1, acknowledged: 0, muted: 0},
  ];
  router.service(IssueService, {getIssueSummary: () => ({summary: {counts}})});
};
const nouns = [
  addSessions,
  addMachines,
  addEvents,
  addBuilds,
  addBoot,
  addServices,
  addWorkspaces,
  addSummary,
] as const;

test.serial('each number leads to the very list that it is of', async t => {
  using app = renderConsole('/', ...nouns);
  const lineOf = async (name: string) => {
    const link = await app.findByRole('link', {name});
    const line = link.closest('li');
    if (!line) throw new Error('The link is in no line');
    await within(line).findByText(/^[0-9]/);
    return `${line.textContent} ${link.getAttribute('href')}`;
  };
  t.is(await lineOf('Critical issues'), 'Critical issues5 /issues?severity=critical&muted=not');
  t.is(await lineOf('Warning issues'), 'Warning issues1 /issues?severity=warning&muted=not');
  t.is(
    await lineOf('Boots stalled in 24 hours'),
    'Boots stalled in 24 hours1 /boot?state=stalled&since=24h',
  );
  t.is(
    await lineOf('Builds failed in 24 hours'),
    'Builds failed in 24 hours1 /builds?state=failed&since=24h',
  );
  t.is((await app.findByRole('link', {name: '1 now'})).getAttribute('href'), '/boot?state=open');
  t.is((await app.findByRole('link', {name: 'All 1'})).getAttribute('href'), '/builds?state=live');
  t.deepEqual(await findBarriers(app.container), []);
});

test.serial('boots and builds under way are named by their machines', async t => {
  using app = renderConsole('/', ...nouns);
  t.is(
    (await app.findByRole('link', {name: 'node-00007 · boots'})).getAttribute('href'),
    '/machines/00000000-0000-7000-8000-000000000007/boot',
  );
  t.truthy(await app.findByRole('link', {name: /^node-00001 · build/}));
});
