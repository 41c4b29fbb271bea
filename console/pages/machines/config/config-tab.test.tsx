import test from 'ava';
import {findBarriers} from '../../../mock/axe.ts';
import {addEvents} from '../../../mock/events.ts';
import {addMachines, mockMachine} from '../../../mock/machines.ts';
import {renderConsole} from '../../../mock/render.tsx';
import {addSessions} from '../../../mock/sessions.ts';
import {addValidations} from '../../../mock/validations.ts';

const {userEvent} = await import('@testing-library/user-event');
// The code editor needs a browser: test/e2e opens it. Here people have chosen plain text.
localStorage.setItem('muster.editor', 'plain');
const open = () =>
  renderConsole(
    `/machines/${mockMachine(1).id}/config`,
    ...[addSessions, addMachines, addEvents, addValidations],
  );

test.serial('a module is checked while it is written, its mistakes have their places', async t => {
  using app = open();
  const module = await app.findByRole('textbox', {name: 'NixOS module of this machine'});
  await userEvent.type(module, '# first{Enter}oops');
  t.regex((await app.findByRole('alert')).textContent, /2:1.*Unexpected "oops"/);
  t.is(module.getAttribute('aria-invalid'), 'true');
  t.deepEqual(await findBarriers(app.container), []);

  await userEvent.clear(module);
  await userEvent.type(module, 'true');
  t.truthy(await app.findByText(/The syntax is right/));
  t.is(app.queryByRole('alert'), null);
});

test.serial('with no builder the syntax is checked, and that is said', async t => {
  using app = open();
  await userEvent.type(
    await app.findByRole('textbox', {name: 'NixOS module of this machine'}),
    'lonely',
  );
  t.truthy(await app.findByText(/The syntax is right, and nothing more is known.*no builder/));
  t.is(app.queryByRole('alert'), null);
});

test.serial('what is changed is shown line by line', async t => {
  using app = open();
  await userEvent.type(
    await app.findByRole('textbox', {name: 'NixOS module of this machine'}),
    'true',
  );
  await userEvent.click(app.getByRole('checkbox', {name: 'Show changes'}));
  t.regex((await app.findByRole('group', {name: 'What differs'})).textContent, /Added: true/);
});
