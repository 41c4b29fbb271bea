import test from 'ava';
import {findBarriers} from '../../mock/axe.ts';
import {addEvents} from '../../mock/events.ts';
import {eventually} from '../../mock/eventually.ts';
import {addGroups} from '../../mock/groups.ts';
import {addMachines, mockMachine} from '../../mock/machines.ts';
import {renderConsole} from '../../mock/render.tsx';
import {addRules} from '../../mock/rules.ts';
import {addSessions} from '../../mock/sessions.ts';
import {addTemplates} from '../../mock/templates.ts';

const {userEvent} = await import('@testing-library/user-event');
const {within} = await import('@testing-library/react');

const open = (search = '') =>
  renderConsole(
    `/rules${search}`,
    ...[addSessions, addMachines, addEvents, addRules, addGroups, addTemplates],
  );
type App = ReturnType<typeof open>;
const namesOf = (app: App) =>
  within(app.getByRole('navigation', {name: /Rules, in the order/}))
    .getAllByRole('link')
    .map(link => link.dataset['item'])
    .join(', ');
const says = (app: App, words: string) => app.getByRole('main').textContent.includes(words);

test.serial('a rule shows its dry run, its condition and what it gives', async t => {
  using app = open('?rule=storage');
  t.truthy(await app.findByRole('heading', {name: 'storage'}));
  await eventually('the dry run is there', () => says(app, 'Would match 14of which 3 wait'));
  t.truthy(app.getByText('hardware.disk_count >= 12', {selector: 'pre'}));
  t.truthy(app.getByText('tier=cold'));
  t.deepEqual(await findBarriers(), []);
});

test.serial('a rule that is asked later stands later, and goes back', async t => {
  using app = open();
  await userEvent.click(await app.findByRole('button', {name: 'Ask storage later'}));
  await eventually('the order', () => namesOf(app) === 'laptops, storage');
  await userEvent.click(await app.findByRole('button', {name: 'Undo'}));
  await eventually('the order', () => namesOf(app) === 'storage, laptops');
  t.is(namesOf(app), 'storage, laptops');
});

test.serial('a rule is disabled at once, and undo takes that back', async t => {
  using app = open('?rule=laptops');
  await userEvent.click(await app.findByRole('button', {name: 'Disable'}));
  const toast = (await app.findByText('Rule laptops is disabled')).closest('.toast');
  t.truthy(await app.findByRole('button', {name: 'Enable'}));
  await userEvent.click(within(toast as HTMLElement).getByRole('button', {name: 'Undo'}));
  t.truthy(await app.findByRole('button', {name: 'Disable'}));
});

test.serial(
  'a condition is tested while it is typed, and a refusal stands at its field',
  async t => {
    using app = open('?mode=new');
    const condition = await app.findByRole('combobox', {name: 'A machine matches when'});
    await userEvent.type(condition, 'hardware.disk_count >= 12');
    await eventually('the dry run is there', () => says(app, 'Would match 14'));
    await userEvent.clear(condition);
    await userEvent.type(condition, 'fail');
    t.regex((await app.findByRole('alert')).textContent, /"fail" is no field/);
    t.is(condition.getAttribute('aria-invalid'), 'true');
    t.deepEqual(await findBarriers(), []);
  },
);

test.serial('a new rule is made and shown; a name that is taken is said', async t => {
  using app = open('?mode=new');
  const name = await app.findByLabelText('Name');
  await userEvent.type(name, 'taken');
  await userEvent.click(app.getByRole('button', {name: 'Make the rule'}));
  t.regex((await app.findByRole('alert')).textContent, /the name is taken; choose another/);
  await userEvent.clear(name);
  await userEvent.type(name, 'edge');
  await userEvent.type(app.getByLabelText('Labels'), 'site=west');
  await userEvent.click(app.getByRole('radio', {name: /^Accept/}));
  await userEvent.click(app.getByRole('button', {name: 'Make the rule'}));
  t.truthy(await app.findByRole('heading', {name: 'edge', level: 2}));
  t.truthy(await app.findByText('site=west'));
  t.is(app.router.state.location.search.rule, 'edge');
});

test.serial('what is not saved is not lost by a click beside it', async t => {
  using app = open('?mode=new');
  await userEvent.type(await app.findByLabelText('Name'), 'half');
  await userEvent.click(app.getByRole('link', {name: 'Cancel'}));
  t.truthy(await app.findByRole('heading', {name: 'Leave without saving?'}));
  await userEvent.click(app.getByRole('button', {name: 'Keep things as they are'}));
  t.is((app.getByLabelText('Name') as HTMLInputElement).value, 'half');
});

test.serial('for a machine each rule says why', async t => {
  using app = open(`?mode=explain&machine=${mockMachine(5).id}`);
  t.truthy(await app.findByText('it has 2'));
  t.truthy(app.getByText('It waits: this would be done when it reports'));
  t.deepEqual(await findBarriers(), []);
});
