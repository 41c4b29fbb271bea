import test from 'ava';
import {findBarriers} from '../../mock/axe.ts';
import {addEvents} from '../../mock/events.ts';
import {addMachines} from '../../mock/machines.ts';
import {renderConsole} from '../../mock/render.tsx';
import {addSessions} from '../../mock/sessions.ts';
import {addTemplates} from '../../mock/templates.ts';
import {addValidations} from '../../mock/validations.ts';

const {userEvent} = await import('@testing-library/user-event');
const {fireEvent, within} = await import('@testing-library/react');

// The code editor needs a browser: test/e2e opens it. Here people have chosen plain text.
localStorage.setItem('muster.editor', 'plain');

const open = (search = '') =>
  renderConsole(
    `/templates${search}`,
    ...[addSessions, addMachines, addEvents, addTemplates, addValidations],
  );
const textOf = (app: ReturnType<typeof open>) =>
  app.getByRole('textbox', {name: 'NixOS module'}) as HTMLTextAreaElement;

test.serial('a template shows its module, and its parameters with their limits', async t => {
  using app = open('?template=web');
  t.regex((await app.findByLabelText('NixOS module')).textContent, /allowedTCPPorts/);
  await userEvent.click(app.getByRole('link', {name: 'Parameters'}));
  const row = await app.findByRole('row', {name: /port/});
  t.regex(row.textContent, /whole number.*80.*1 to 65535.*Where it listens/);
  t.is(app.router.state.location.search.tab, 'parameters');
  t.deepEqual(await findBarriers(), []);
});

test.serial('what a version changed is shown line by line', async t => {
  using app = open('?template=web&tab=changes');
  const diff = await app.findByRole('group', {name: 'What differs'});
  const added = [...diff.querySelectorAll('[data-kind=added] code')].map(line => line.textContent);
  t.deepEqual(added, [
    'Added: # parameter port: whole number, default 80, 1 to 65535, Where it listens',
    'Added:   networking.firewall.allowedTCPPorts = [parameters.port];',
  ]);
  t.deepEqual(await findBarriers(), []);
});

test.serial('the machines that a change reaches are named', async t => {
  using app = open('?template=web&tab=machines');
  t.truthy(await app.findByText(/2 of the 2 follow the newest version/));
  t.truthy(app.getByRole('link', {name: 'node-00002'}));
});

test.serial('a mistake in the module is said with its place', async t => {
  using app = open('?template=web&mode=edit');
  await app.findByText(/The syntax is right/);
  fireEvent.change(textOf(app), {target: {value: 'parameters: {...}: {\n  oops\n}\n'}});
  t.regex((await app.findByRole('alert')).textContent, /2:3.*Unexpected "oops"/);
  t.deepEqual(await findBarriers(), []);
});

test.serial('a new version is tried and kept', async t => {
  using app = open('?template=web&mode=edit');
  await app.findByRole('heading', {name: 'web, version 3'});
  fireEvent.change(textOf(app), {target: {value: 'parameters: {...}: { }\n'}});
  await userEvent.click(app.getByRole('button', {name: 'Which machines?'}));
  t.truthy(await app.findByText('2 machines would be built anew at the next build.'));
  await userEvent.click(app.getByRole('button', {name: 'Save as version 3'}));
  t.truthy(await app.findByText('Version 3 of web is saved. It builds nothing by itself'));
  t.is(((await app.findByLabelText('Version')) as HTMLSelectElement).value, '3');
});

test.serial('what the server refuses stays to be corrected', async t => {
  using app = open('?template=base-server&mode=new');
  await app.findByRole('heading', {name: 'New template'});
  t.is((app.getAllByLabelText('Name')[0] as HTMLInputElement).value, 'base-server-own');
  fireEvent.change(textOf(app), {target: {value: 'FAIL'}});
  await userEvent.click(app.getByRole('button', {name: 'Make the template'}));
  t.regex((await app.findByRole('alert')).textContent, /Cannot keep.*Unexpected "FAIL"/);
  t.is(textOf(app).value, 'FAIL');
});

test.serial('a template of Muster is copied, not changed', async t => {
  using app = open('?template=base-server');
  t.truthy(await app.findByRole('link', {name: 'Make your own of it'}));
  t.is(app.queryByRole('link', {name: 'New version'}), null);
  t.is(app.getByRole('button', {name: 'Delete…'}).getAttribute('aria-disabled'), 'true');
});

test.serial('one that is used is not deleted: the refusal names who uses it', async t => {
  using app = open('?template=web');
  await userEvent.click(await app.findByRole('button', {name: 'Delete…'}));
  const dialog = within(app.getByRole('dialog'));
  await userEvent.type(dialog.getByLabelText(/to go on/), 'web');
  await userEvent.click(dialog.getByRole('button', {name: 'Delete the template'}));
  t.regex((await dialog.findByRole('alert')).textContent, /node-00001, node-00002 use it/);
});
