import test from 'ava';
import {auditOf} from '../../mock/audit.ts';
import {findBarriers} from '../../mock/axe.ts';
import {addEvents} from '../../mock/events.ts';
import {signedInAs} from '../../mock/people.ts';
import {renderConsole} from '../../mock/render.tsx';
import {exportHref, timeOf} from './audit-filter.ts';
import {listChanges} from './changes.ts';

const {userEvent} = await import('@testing-library/user-event');

const open = (address: string, brokenAt?: bigint) =>
  renderConsole(address, signedInAs('admin'), auditOf(brokenAt), addEvents);

test.serial('entries are listed, and the filter is in the address', async t => {
  using app = open('/audit');
  const user = userEvent.setup();
  t.truthy(await app.findByText('user.updated'));
  t.truthy(app.getByText('UserService.ListUsers'));
  await user.selectOptions(app.getByLabelText('What came of it'), 'Refused');
  t.is(app.router.state.location.search.outcome, 'refused');
  await app.findByRole('button', {name: 'Show all'});
  t.is(app.queryByText('user.updated'), null);
  t.deepEqual(await findBarriers(), []);
});

test.serial('an entry shows what changed, and secrets as secrets', async t => {
  using app = open('/audit?entry=019c0000-0000-7000-8000-000000000002');
  t.truthy(await app.findByText('operator'));
  t.truthy(app.getByText('viewer'));
  t.is(app.getAllByText('secret, not kept').length, 2);
  t.is(app.queryByText('same@example.net'), null);
  t.deepEqual(await findBarriers(), []);
});

test.serial('an entry that the filter hides is found by its id', async t => {
  using app = open('/audit?actor=anonymous&entry=019c0000-0000-7000-8000-000000000002');
  t.truthy(await app.findByText('operator'));
  t.is(app.queryByText('This entry is not there'), null);
});

test.serial('a whole chain gives an end to note, a broken one names the entry', async t => {
  const user = userEvent.setup();
  {
    using app = open('/audit');
    await user.click(await app.findByRole('button', {name: 'Verify the chain'}));
    await user.click(app.getByRole('button', {name: 'Walk the chain'}));
    t.truthy(await app.findByText('The chain is whole: 2 entries.'));
    t.truthy(app.getByText(`2:${'cd'.repeat(32)}`));
  }
  using app = open('/audit', 2n);
  await user.click(await app.findByRole('button', {name: 'Verify the chain'}));
  await user.click(app.getByRole('button', {name: 'Walk the chain'}));
  t.truthy(await app.findByText('The chain is broken at position 2.'));
  t.truthy(app.getByText('The entry was changed'));
});

test.serial('a server that fails is told with a way on', async t => {
  using app = open('/audit?actor=fail');
  t.truthy(await app.findByText(/The database is away/));
  t.truthy(app.getByRole('button', {name: 'Try again'}));
});

test('the export has the filter of the page', t => {
  t.is(exportHref({}), '/api/v1/audit/export');
  t.is(
    exportHref({actor: 'user:ada', outcome: 'refused', since: '2026-01-01T00:00:00Z'}),
    '/api/v1/audit/export?actor=user%3Aada&outcome=refused&start_time=2026-01-01T00%3A00%3A00.000Z',
  );
  const now = Date.UTC(2026, 0, 2, 12, 30, 40);
  t.is(timeOf('24h', now)?.toISOString(), '2026-01-01T12:30:00.000Z');
  t.is(timeOf('nonsense', now), undefined);
});

test('changes are told field by field, by their path', t => {
  t.deepEqual(listChanges({a: {b: 1, c: 2}, d: null}, {a: {b: 1, c: 3}, e: []}), [
    {field: 'a.c', before: '2', after: '3'},
    {field: 'd', before: 'null', after: undefined},
    {field: 'e', before: undefined, after: '[]'},
  ]);
});
