import test from 'ava';
import {findBarriers} from '../../mock/axe.ts';
import {addDiscovery} from '../../mock/discovery.ts';
import {addEvents} from '../../mock/events.ts';
import {eventually} from '../../mock/eventually.ts';
import {addMachines, mockMachine} from '../../mock/machines.ts';
import {renderConsole} from '../../mock/render.tsx';
import {addRules} from '../../mock/rules.ts';
import {addSessions} from '../../mock/sessions.ts';

const {userEvent} = await import('@testing-library/user-event');
const {within} = await import('@testing-library/react');

const idOf = (number: number) => mockMachine(number).id ?? '';
const open = (search = '') =>
  renderConsole(`/pending${search}`, addSessions, addMachines, addEvents, addRules, addDiscovery);

test.serial('the machine that was chosen shows what tells it from others', async t => {
  using app = open(`?machine=${idOf(2001)}`);
  t.truthy(await app.findByRole('heading', {name: 'NEW2001'}));
  t.truthy(app.getByText('tor-7 Eth12', {selector: 'strong'}));
  t.truthy(app.getByText('3c:ec:ef:00:20:01'));
  t.truthy(app.getByRole('meter', {name: 'Identity: 130 points'}));
  t.truthy(app.getByText('other mac (−15)'));
  t.truthy(await app.findByText('it has 2'));
  t.truthy(app.getByText('r7'));
  t.deepEqual(await findBarriers(), []);
});

test.serial('two records stand side by side, with what differs marked', async t => {
  using app = open(`?machine=${idOf(2001)}`);
  await userEvent.click(await app.findByRole('link', {name: 'Compare'}));
  const table = await app.findByRole('table');
  const row = within(table).getByRole('row', {name: /Serial number/});
  t.is(row.dataset['verdict'], 'different');
  t.truthy(within(row).getByText('SN000003'));
  t.is(app.router.state.location.search.with, idOf(3));
  t.deepEqual(await findBarriers(), []);
});

test.serial(
  'a machine in doubt is accepted after a question, and the next one is shown',
  async t => {
    using app = open(`?machine=${idOf(2001)}`);
    await userEvent.click(await app.findByRole('button', {name: 'Accept'}));
    t.truthy(app.getByText(/identifiers of machine "node-00003"/, {selector: 'dialog *'}));
    await userEvent.click(app.getByRole('button', {name: 'Accept it'}));
    t.truthy(await app.findByRole('heading', {name: 'NEW2002'}));
    await app.findByText('NEW2001 is accepted');
    await eventually('it left the list', () => !app.queryByRole('link', {name: /NEW2001/}));
    t.is(app.router.state.location.search.machine, idOf(2002));
  },
);

test.serial('a refusal of the server is shown with what to do', async t => {
  using app = open(`?machine=${idOf(2003)}`);
  await userEvent.click(await app.findByRole('button', {name: 'Accept'}));
  const alert = await app.findByRole('alert');
  t.regex(alert.textContent, /Cannot accept FAIL.*set a serial number first/);
});

test.serial('what is merged says which record stays', async t => {
  using app = open(`?machine=${idOf(2001)}&with=${idOf(3)}`);
  await userEvent.click(await app.findByRole('button', {name: /It is node-00003: merge/}));
  await userEvent.click(app.getByRole('button', {name: 'Merge into node-00003'}));
  t.truthy(await app.findByText('NEW2001 went into node-00003'));
  t.is(app.router.state.location.pathname, `/machines/${idOf(3)}`);
});

test.serial('a ban names the identifiers, and is taken back', async t => {
  using app = open(`?machine=${idOf(2002)}`);
  await userEvent.click(await app.findByRole('button', {name: 'Ban…'}));
  await userEvent.type(app.getByLabelText('Reason'), 'stolen');
  await userEvent.click(app.getByRole('button', {name: 'Ban the box'}));
  const toast = (await app.findByText(/is banned by 2 identifiers/)).closest('.toast');
  await userEvent.click(app.getByRole('link', {name: 'Bans'}));
  t.truthy(await app.findAllByText(/stolen/));
  t.deepEqual(await findBarriers(), []);
  await userEvent.click(within(toast as HTMLElement).getByRole('button', {name: 'Undo'}));
  t.truthy(await app.findByText('Nothing is banned'));
});

test.serial('an identifier that is none is refused at its form', async t => {
  using app = open('?tab=bans');
  await userEvent.type(await app.findByLabelText('Serial number, UUID or MAC'), 'junk');
  await userEvent.click(app.getByRole('button', {name: 'Ban it'}));
  t.regex((await app.findByRole('alert')).textContent, /it is no MAC address, UUID or serial/);
});

test.serial('a machine that does not wait any more says so', async t => {
  using app = open(`?machine=${idOf(3)}`);
  t.truthy(await app.findByText('It does not wait any more'));
  t.truthy(await app.findByRole('link', {name: 'To the machine'}));
});
