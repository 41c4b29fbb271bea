import test from 'ava';
import {findBarriers} from '../../mock/axe.ts';
import {addEvents} from '../../mock/events.ts';
import {addImageTests, imageTestId} from '../../mock/image-tests.ts';
import {addImages} from '../../mock/images.ts';
import {addMachines, mockMachine} from '../../mock/machines.ts';
import {renderConsole} from '../../mock/render.tsx';
import {addSessions} from '../../mock/sessions.ts';

const {userEvent} = await import('@testing-library/user-event');
const {within} = await import('@testing-library/react');
const address = `/machines/${mockMachine(1).id}/images`;
const nouns = [addSessions, addMachines, addEvents, addImages] as const;

test.serial(
  'a machine says that a gate holds its image back, by which test of which group',
  async t => {
    using app = renderConsole(address, ...nouns, addImageTests);
    const list = within(await app.findByRole('list', {name: 'Tests that its groups require'}));
    const rows = list.getAllByRole('listitem').map(({textContent}) => textContent);
    t.regex(rows[0] ?? '', /Passed.*boot-uefi.*group web-servers.*boot tests of its build/);
    t.regex(rows[1] ?? '', /Failed.*service:nginx.service.*group web-servers, group rack7/);
    t.regex(
      app.getByRole('alert').textContent,
      /newest image ab12ab12ab12 is held back.*It failed/,
    );
    t.deepEqual(await findBarriers(app.container), []);

    await userEvent.click(list.getByRole('link', {name: imageTestId(2).slice(0, 8)}));
    t.truthy(await app.findByText('The image did not pass'));
  },
);

test.serial('a machine without an image has no gate, and is told what to do', async t => {
  using app = renderConsole(`/machines/${mockMachine(5).id}/images`, ...nouns, addImageTests);
  t.truthy(await app.findByRole('heading', {name: 'It has no image yet'}));
  t.is(app.queryByRole('alert'), null);
});

test.serial('a machine leads to the tests of images for it', async t => {
  using app = renderConsole(address, ...nouns, addImageTests);
  const link = await app.findByRole('link', {name: 'All of them'});
  t.is(link.getAttribute('href'), `/image-tests?machine=${mockMachine(1).id}`);
  const card = link.closest('section');
  if (!card) throw new Error('The link is in no card');
  t.truthy(await within(card).findByRole('link', {name: /^Services sshd.service/}));
});

test.serial('a gate that cannot be read is said', async t => {
  using app = renderConsole(address, ...nouns);
  t.truthy(await app.findByText('Cannot read its gate'));
});
