import test from 'ava';
import {renderConsole} from '../../mock/render.tsx';
import {csvLine} from './export-csv.ts';
import {addEvents} from '../../mock/events.ts';
import {machinesOf, mockMachine} from '../../mock/machines.ts';
import {addSessions} from '../../mock/sessions.ts';
import {create} from '@bufbuild/protobuf';
import {MachineSchema} from '@muster/proto/gen/muster/v1/machines_pb.ts';

const {userEvent} = await import('@testing-library/user-event');
const {fireEvent, waitFor, within} = await import('@testing-library/react');

/** happy-dom lays nothing out: it cannot scroll by itself. */
function scrollToRow(grid: HTMLElement, row: number): void {
  const box = grid.parentElement;
  if (!box) throw new Error('The grid is in no box');
  box.scrollTop = row * 32;
  fireEvent.scroll(box);
}

test.serial('of thousands of machines only those on the screen are in the document', async t => {
  using app = renderConsole('/machines', addSessions, addEvents, machinesOf(5000));
  const grid = await app.findByRole('grid', {name: 'Machines'});
  await within(grid).findByText('node-00000');

  t.is(grid.getAttribute('aria-rowcount'), '5001');
  const rows = within(grid).getAllByRole('row');
  t.true(rows.length < 100, `${rows.length} rows`);
});

test.serial('keys move, mark, and open a row', async t => {
  using app = renderConsole('/machines', addSessions, addEvents, machinesOf(20));
  const user = userEvent.setup();
  const grid = await app.findByRole('grid', {name: 'Machines'});
  await within(grid).findByText('node-00000');
  grid.focus();
  await user.keyboard('jjx');
  t.truthy(await app.findByText('1 machine selected'));
  await user.keyboard('{Shift>}{ArrowDown}{ArrowDown}{/Shift}');
  t.truthy(await app.findByText('3 machines selected'));

  await user.keyboard('{Enter}');
  await waitFor(() => t.is(app.router.state.location.pathname, `/machines/${mockMachine(3).id}`));
});

test.serial('what is scrolled to is loaded, wherever it is', async t => {
  using app = renderConsole('/machines', addSessions, addEvents, machinesOf(5000));
  const grid = await app.findByRole('grid', {name: 'Machines'});
  await within(grid).findByText('node-00000');
  scrollToRow(grid, 4980);
  t.truthy(await within(grid).findByText('node-04999'));
  t.is(within(grid).queryByText('node-00000'), null);
  scrollToRow(grid, 0);
  t.truthy(await within(grid).findByText('node-00000'));
});

test.serial('a range is marked whole, also where its rows are not loaded', async t => {
  using app = renderConsole('/machines', addSessions, addEvents, machinesOf(5000));
  const user = userEvent.setup();
  const grid = await app.findByRole('grid', {name: 'Machines'});
  await within(grid).findByText('node-00000');
  grid.focus();
  await user.keyboard('jx{End}');
  scrollToRow(grid, 4980);
  await within(grid).findByText('node-04999');
  await user.keyboard('{Shift>}x{/Shift}');
  t.truthy(await app.findByText('5,000 machines selected'));
});

test.serial('the address holds the filter, and a refusal is said', async t => {
  using app = renderConsole('/machines?filter=fail', addSessions, addEvents, machinesOf(20));
  t.truthy(await app.findByText(/"fail" is none/));
  t.is(app.getByRole('combobox', {name: 'Filter'}).getAttribute('aria-invalid'), 'true');
});

test('a text that begins like a formula is none in a sheet', t => {
  const machine = create(MachineSchema, {hostname: '=1+1', description: 'x', product: 'a "b", c'});
  t.regex(csvLine(machine), /,'=1\+1,/);
  t.regex(csvLine(machine), /"a ""b"", c"/);
});
