import {IssueService} from '@muster/proto/gen/muster/v1/issues_pb.ts';
import {MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import test from 'ava';
import {findBarriers} from '../../mock/axe.ts';
import {addEvents} from '../../mock/events.ts';
import {addIssues} from '../../mock/issues.ts';
import {addMachines} from '../../mock/machines.ts';
import {signedInAs} from '../../mock/people.ts';
import {renderConsole} from '../../mock/render.tsx';

const {userEvent} = await import('@testing-library/user-event');

const open = (address: string, role: 'admin' | 'viewer' = 'admin') =>
  renderConsole(address, signedInAs(role), addIssues, addMachines, addEvents);

test.serial('issues are listed with the names of their machines, and narrowed', async t => {
  using app = open('/issues');
  const user = userEvent.setup();
  t.truthy(await app.findByText('Disk in bay 3 says that it is failing'));
  t.is((await app.findAllByRole('link', {name: 'node-00001'})).length, 2);
  t.deepEqual(await findBarriers(), []);
  await user.click(app.getByRole('button', {name: /Critical/}));
  t.is(app.router.state.location.search.severity, 'critical');
  t.is(app.getByRole('button', {name: /Critical/}).getAttribute('aria-pressed'), 'true');
  await app.findByRole('button', {name: 'Show all'});
  t.is(app.queryByText('It is 93 °C'), null);
});

test.serial('the names of all machines on the screen are asked for in one call', async t => {
  const filters: string[] = [];
  const ids = Array.from(
    {length: 30},
    (_, n) => `00000000-0000-7000-8000-${`${n}`.padStart(12, '0')}`,
  );
  using app = renderConsole('/issues', signedInAs('viewer'), addEvents, router => {
    router.service(IssueService, {
      listIssues: () => ({issues: ids.map(machineId => ({id: `i${machineId}`, machineId}))}),
      getIssueSummary: () => ({summary: {counts: []}}),
      listIssueRules: () => ({rules: []}),
    });
    router.service(MachineService, {
      listMachines({filter}) {
        filters.push(filter);
        const asked = [...filter.matchAll(/"([^"]+)"/g)].map(([, id = '']) => id);
        return {machines: asked.map(id => ({id, hostname: `host-${Number(id.slice(-4))}`}))};
      },
    });
  });
  t.truthy(await app.findByRole('link', {name: 'host-0'}));
  t.true(app.getAllByRole('link', {name: /^host-/}).length > 5);
  t.is(filters.length, 1);
});

test.serial('an issue shows evidence and what to do, and is acknowledged', async t => {
  using app = open('/issues?issue=i1');
  const user = userEvent.setup();
  t.truthy(await app.findByText('Exchange the disk in bay 3'));
  t.truthy(app.getByText('reallocated sectors'));
  t.truthy(app.getByText('812'));
  await user.click(app.getByRole('button', {name: 'I take care'}));
  await user.type(app.getByLabelText(/Note for the others/), 'Disk ordered');
  await user.click(app.getByRole('button', {name: 'I take care'}));
  t.truthy(await app.findByText(/user:ada has it/));
  t.truthy(app.getByText(/Disk ordered/));
  t.deepEqual(await findBarriers(), []);
});

test.serial('one that is found anew cannot be ended: it is muted', async t => {
  using app = open('/issues?issue=i2');
  const user = userEvent.setup();
  await user.click(await app.findByRole('button', {name: 'End it'}));
  await user.click(app.getByRole('button', {name: 'End the issue'}));
  t.truthy(await app.findByText(/the server finds it anew; mute it/));
  await user.click(app.getByRole('button', {name: 'Cancel'}));
  await user.click(app.getByRole('button', {name: 'Mute'}));
  await user.selectOptions(app.getByLabelText('Mute for'), 'a week');
  await user.selectOptions(app.getByLabelText('What is muted'), 'machine');
  await user.type(app.getByLabelText('Why, for the others'), 'Fan ordered');
  await user.click(app.getByRole('button', {name: 'Mute'}));
  t.truthy(await app.findByText(/user:ada muted issues of this kind on this machine/));
  t.truthy(app.getByText(/Fan ordered \(7d\)/));
});

test.serial('a limit of a rule is changed, and one out of range is refused', async t => {
  using app = open('/issues?tab=rules&rule=temperature');
  const user = userEvent.setup();
  const limit = await app.findByLabelText('Issue from: celsius (°C)');
  await user.clear(limit);
  await user.type(limit, '200');
  await user.click(app.getByRole('button', {name: 'Save'}));
  t.truthy(await app.findByText('Cannot set celsius to 200: at most 150'));
  await user.clear(limit);
  await user.type(limit, '95');
  await user.click(app.getByRole('button', {name: 'Save'}));
  t.truthy(await app.findByText(/user:ada at 95/));
  t.deepEqual(await findBarriers(), []);
});

test.serial('a viewer is told why not', async t => {
  using app = open('/issues?issue=i1', 'viewer');
  const button = await app.findByRole('button', {name: 'I take care'});
  t.is(button.getAttribute('aria-disabled'), 'true');
  t.regex(button.title, /takes the role operator/);
});

test.serial('an issue of doubtful identity leads to where records are set right', async t => {
  using app = open('/issues?issue=i3');
  const link = await app.findByRole('link', {name: 'Split the record'});
  t.is(link.getAttribute('href'), '/machines/00000000-0000-7000-8000-000000000003/split');
  t.truthy(app.getByRole('link', {name: 'Compare the records'}));
});
