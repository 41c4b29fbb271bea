import test from 'ava';
import {findBarriers} from '../../mock/axe.ts';
import {addEvents} from '../../mock/events.ts';
import {eventually} from '../../mock/eventually.ts';
import {addGroups} from '../../mock/groups.ts';
import {addMachines, mockMachine} from '../../mock/machines.ts';
import {renderConsole} from '../../mock/render.tsx';
import {addRollouts} from '../../mock/rollouts.ts';
import {addSessions} from '../../mock/sessions.ts';
import {addTemplates} from '../../mock/templates.ts';

const {userEvent} = await import('@testing-library/user-event');
const {within} = await import('@testing-library/react');

const open = (search = '') =>
  renderConsole(
    `/groups${search}`,
    ...[addSessions, addMachines, addEvents, addGroups, addRollouts, addTemplates],
  );
type App = ReturnType<typeof open>;
const says = (app: App, words: string) => app.getByRole('main').textContent.includes(words);

test.serial('a group shows its machines and what they inherit', async t => {
  using app = open('?group=web-servers');
  t.truthy(await app.findByRole('link', {name: 'node-00001'}));
  t.truthy(app.getByText('timeZone = Europe/Berlin'));
  t.truthy(app.getByText('newest version'));
  t.deepEqual(await findBarriers(), []);
});

test.serial('of each value of a machine the origin is said', async t => {
  using app = open('?group=web-servers');
  await userEvent.click(await app.findByRole('link', {name: 'What node-00001 inherits'}));
  const table = within(await app.findByRole('table'));
  t.truthy(table.getByRole('row', {name: 'serial console ttyS0,115200 group rack7'}));
  t.truthy(table.getByRole('row', {name: 'host name node-00001 the machine itself'}));
  t.is(app.router.state.location.search.machine, mockMachine(1).id);
  t.deepEqual(await findBarriers(), []);
});

test.serial('a machine is put in, and taken out with undo', async t => {
  using app = open('?group=web-servers');
  const picker = await app.findByRole('combobox', {name: 'Put a machine in'});
  await userEvent.type(picker, 'node-00042');
  await app.findByRole('option', {name: /node-00042/});
  await userEvent.keyboard('{ArrowDown}{Enter}');
  const out = await app.findByRole('button', {name: 'Take node-00042 out of the group'});
  await userEvent.click(out);
  const toast = (await app.findByText('node-00042 is out of web-servers')).closest('.toast');
  await eventually('it is out', () => !app.queryByRole('link', {name: 'node-00042'}));
  await userEvent.click(within(toast as HTMLElement).getByRole('button', {name: 'Undo'}));
  t.truthy(await app.findByRole('link', {name: 'node-00042'}));
});

test.serial('a group by a filter is not changed by hand, and counts while it is typed', async t => {
  using app = open('?group=rack7&mode=edit');
  const filter = await app.findByRole('combobox', {name: 'A machine is in the group when'});
  t.is((filter as HTMLInputElement).value, 'labels.rack = "r7"');
  await userEvent.clear(filter);
  await userEvent.type(filter, 'node-0000');
  await eventually('ten are counted', () => says(app, 'Would hold 10 machines now'));
  await userEvent.clear(filter);
  await userEvent.type(filter, 'fail');
  t.regex((await app.findByRole('alert')).textContent, /Cannot read the filter/);
  t.deepEqual(await findBarriers(), []);
});

test.serial('a name that is taken is said, and nothing that was typed is lost', async t => {
  using app = open('?mode=new');
  await userEvent.type(await app.findByLabelText('Name'), 'taken');
  await userEvent.type(app.getByLabelText('Serial console'), 'ttyS1,9600');
  await userEvent.click(app.getByRole('button', {name: 'Make the group'}));
  t.regex((await app.findByRole('alert')).textContent, /the name is taken; choose another/);
  await userEvent.clear(app.getByLabelText('Name'));
  await userEvent.type(app.getByLabelText('Name'), 'edge');
  await userEvent.click(app.getByRole('button', {name: 'Make the group'}));
  t.truthy(await app.findByRole('heading', {name: 'edge', level: 2}));
  t.truthy(app.getByText('ttyS1,9600'));
});

test.serial('a template is given with a parameter of its type', async t => {
  using app = open('?mode=new');
  await userEvent.type(await app.findByLabelText('Name'), 'webs');
  await userEvent.selectOptions(await app.findByLabelText('Add a template'), 'web');
  await userEvent.type(app.getByLabelText('port'), '8080');
  await userEvent.click(app.getByRole('button', {name: 'Make the group'}));
  t.truthy(await app.findByText('port = 8080'));
});

test.serial('a roll-out is tried: refusals come first, nothing is changed', async t => {
  using app = open('?group=web-servers&mode=rollout');
  await userEvent.click(await app.findByRole('button', {name: 'Dry run'}));
  const outcomes = within(await app.findByRole('list', {name: 'Machines'})).getAllByRole(
    'listitem',
  );
  t.regex(outcomes[0]?.textContent ?? '', /node-00002.*It is in quarantine: accept it first/);
  t.true(says(app, '2 machines would be rolled out, 1 would be refused'));
  t.deepEqual(await findBarriers(), []);
});

test.serial('a roll-out starts when the name of the group was typed', async t => {
  using app = open('?group=web-servers&mode=rollout');
  const borne = await app.findByLabelText('Failures that are borne');
  await userEvent.clear(borne);
  await userEvent.type(borne, '13');
  await userEvent.click(app.getByRole('button', {name: 'Start…'}));
  const start = await app.findByRole('button', {name: 'Start the roll-out'});
  t.is(start.getAttribute('aria-disabled'), 'true');
  await userEvent.type(app.getByLabelText(/to go on/), 'web-servers');
  await userEvent.click(start);
  t.regex((await app.findByRole('alert')).textContent, /50 are not over; wait for one/);
});

test.serial('the gate of a group is shown and changed, and its mistakes are said', async t => {
  using app = open('?group=web-servers');
  const gate = await app.findByRole('list', {name: 'Tests of the gate'});
  t.truthy(within(gate).getByText('service:nginx.service'));

  await userEvent.click(app.getByRole('link', {name: 'Edit'}));
  const units = await app.findByLabelText('Units that have to be active');
  await userEvent.type(units, '{Enter}sshd');
  await userEvent.click(app.getByRole('checkbox', {name: 'Boots with UEFI'}));
  await userEvent.click(app.getByRole('button', {name: 'Save the group'}));
  t.truthy(await app.findByText(/“sshd” is no unit/));
  t.deepEqual(await findBarriers(), []);

  await userEvent.type(units, '.socket');
  await userEvent.click(app.getByRole('button', {name: 'Save the group'}));
  const saved = await app.findByRole('list', {name: 'Tests of the gate'});
  t.deepEqual(
    within(saved)
      .getAllByRole('listitem')
      .map(({textContent}) => textContent),
    [
      'Boots with UEFI boot-uefi',
      'nginx.service is active service:nginx.service',
      'sshd.socket is active service:sshd.socket',
    ],
  );
});
