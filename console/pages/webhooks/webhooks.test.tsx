import test from 'ava';
import {findBarriers} from '../../mock/axe.ts';
import {addEvents} from '../../mock/events.ts';
import {signedInAs} from '../../mock/people.ts';
import {renderConsole} from '../../mock/render.tsx';
import {addWebhooks} from '../../mock/webhooks.ts';
import {previewBody} from './template-preview.ts';

const {userEvent} = await import('@testing-library/user-event');
const {fireEvent, within} = await import('@testing-library/react');

const open = (address: string) =>
  renderConsole(address, signedInAs('admin'), addWebhooks, addEvents);

test.serial('the list shows where a webhook sends to, without its path', async t => {
  using app = open('/webhooks');
  t.truthy(await app.findByText('https://chat.example'));
  t.notRegex(document.body.textContent, /secret-path/);
  t.deepEqual(await findBarriers(), []);
});

test.serial('a webhook is made: preview, refused address, secret shown once', async t => {
  using app = open('/webhooks');
  const user = userEvent.setup();
  await user.click(await app.findByRole('button', {name: 'New webhook'}));
  await user.type(app.getByLabelText('Name'), 'cmdb');
  await user.type(app.getByLabelText('Address'), 'https://closed/hook');
  fireEvent.change(app.getByLabelText('Template'), {target: {value: '{"t": "{{type}} now"}'}});
  t.regex(app.getByLabelText('Preview of the body').textContent, /"t": "machine.failed now"/);
  fireEvent.change(app.getByLabelText('Template'), {target: {value: '{"t": "{{colour}}"}'}});
  t.truthy(app.getByText(/“\{\{colour\}\}” is unknown/));
  t.deepEqual(await findBarriers(), []);

  await user.click(app.getByRole('button', {name: 'Make the webhook'}));
  t.truthy(await app.findByText(/address is closed/));
  await user.clear(app.getByLabelText('Address'));
  await user.type(app.getByLabelText('Address'), 'https://cmdb.example/hook');
  await user.click(app.getByRole('button', {name: 'Make the webhook'}));
  t.truthy(await app.findByText('whsec_shown_once'));
  await user.click(app.getByRole('button', {name: 'I have it'}));
  t.truthy(await app.findByRole('heading', {name: 'cmdb', level: 1}));
  t.is(app.queryByText('whsec_shown_once'), null);
});

test.serial('a test tells what the receiver answered', async t => {
  using app = open('/webhooks?webhook=ops-chat');
  const user = userEvent.setup();
  await user.click(await app.findByRole('button', {name: 'Send a test'}));
  const dialog = within(await app.findByRole('dialog'));
  t.truthy(await dialog.findByText('The receiver did not take it.'));
  t.truthy(dialog.getByText('HTTP 404'));
  t.truthy(dialog.getByText('no such hook'));
});

test.serial('dead deliveries are shown with their tries and sent again', async t => {
  using app = open('/webhooks?webhook=ops-chat&state=dead');
  const user = userEvent.setup();
  await user.click(await app.findByText('machine.failed'));
  t.truthy(await app.findByText('no such hook'));
  t.is(app.router.state.location.search.delivery, '00000000-0000-7000-8000-0000000000d1');
  await user.click(app.getByRole('button', {name: 'Done'}));
  await user.click(app.getByRole('button', {name: 'Send 1 dead one again'}));
  t.truthy(await app.findByText('1 delivery waits to be sent again'));
  t.truthy(await app.findByText('Waits'));
});

const event = {
  id: 'e1',
  position: 7,
  time: '2026-05-01T10:00:00.000Z',
  type: 'machine.failed',
  actor: 'system',
  machine_id: '',
  subject: '',
  data: {reason: 'a "b" & <c>', count: 3},
};
// As in server/domain/webhook-body.test.ts.
for (const [contentType, template, body] of [
  ['', '{"n": "{{data.count}}", "x": "{{data.no}}"}', '{"n":3,"x":null}'],
  ['', '{"text": "{{data.reason}}!"}', '{"text":"a \\"b\\" & <c>!"}'],
  ['application/xml', '<r>{{data.reason}}</r>', '<r>a &#34;b&#34; &#38; &#60;c&#62;</r>'],
  ['application/x-www-form-urlencoded', 'a={{data.reason}}', 'a=a%20%22b%22%20%26%20%3Cc%3E'],
  ['text/plain', '{{webhook}} {{position}}{{data.constructor}}', 'ops 7'],
] as const)
  test(`the preview renders as the server does: ${template}`, t => {
    const preview = previewBody({template, contentType, webhook: 'ops'}, event);
    const text = 'body' in preview ? preview.body : preview.mistake;
    t.is(contentType === '' ? JSON.stringify(JSON.parse(text)) : text, body);
  });
