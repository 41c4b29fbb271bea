import test from 'ava';
import {findBarriers} from '../../mock/axe.ts';
import {addEvents} from '../../mock/events.ts';
import {signedInAs} from '../../mock/people.ts';
import {renderConsole} from '../../mock/render.tsx';
import {addServices} from '../../mock/services.ts';

const {userEvent} = await import('@testing-library/user-event');
const {within} = await import('@testing-library/react');

const open = (address: string) =>
  renderConsole(address, signedInAs('admin'), addServices, addEvents);

test.serial(
  'edges and builders are listed with their state; one is revoked by its name',
  async t => {
    using app = open('/settings');
    const user = userEvent.setup();
    t.truthy(await app.findByText('Online'));
    t.truthy(app.getByText('Offline'));
    t.truthy(app.getByTitle('no nix command'));
    t.deepEqual(await findBarriers(), []);
    await user.click(app.getByRole('button', {name: 'Revoke rack-12'}));
    const dialog = within(app.getByRole('dialog'));
    const button = dialog.getByRole('button', {name: 'Revoke rack-12'});
    t.is(button.getAttribute('aria-disabled'), 'true');
    await user.type(dialog.getByRole('textbox'), 'rack-12');
    await user.click(button);
    t.truthy(await app.findByText('Revoked'));
  },
);

test.serial('a join code is shown once; a name that is taken is said to be', async t => {
  using app = open('/settings');
  const user = userEvent.setup();
  await user.click(await app.findByRole('button', {name: 'Let one join'}));
  await user.type(app.getByLabelText('Its name'), 'taken');
  await user.click(app.getByRole('button', {name: 'Make a code'}));
  t.truthy(await app.findByText('Cannot add "taken": it has joined'));
  await user.clear(app.getByLabelText('Its name'));
  await user.type(app.getByLabelText('Its name'), 'rack-13');
  await user.click(app.getByRole('button', {name: 'Make a code'}));
  t.truthy(await app.findByText('join-code-shown-once'));
  await user.click(app.getByRole('button', {name: 'I have it'}));
  t.is(app.queryByText('join-code-shown-once'), null);
});

test.serial('the configuration of NATS is shown on demand, never its private key', async t => {
  using app = open('/settings?tab=server');
  const user = userEvent.setup();
  t.truthy(await app.findByText('0.1.0'));
  t.is(app.queryByText('PEM of the site'), null);
  await user.click(app.getByRole('button', {name: 'Show site CA and configuration'}));
  t.truthy(await app.findByText('PEM of the site'));
  t.is(app.queryByText(/no!/), null);
  t.deepEqual(await findBarriers(), []);
});

test.serial('colours are chosen, put back, and undone', async t => {
  using app = open('/settings?tab=console');
  const user = userEvent.setup();
  await user.click(await app.findByRole('radio', {name: 'Dark'}));
  t.is(document.documentElement.dataset['theme'], 'dark');
  await user.click(app.getByRole('button', {name: 'Put everything back'}));
  t.is(document.documentElement.dataset['theme'], undefined);
  await user.click(app.getByRole('button', {name: 'Undo'}));
  t.is(document.documentElement.dataset['theme'], 'dark');
  t.deepEqual(await findBarriers(), []);
});
