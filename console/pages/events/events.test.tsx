import {EventService} from '@muster/proto/gen/muster/v1/events_pb.ts';
import {timestampFromMs} from '@bufbuild/protobuf/wkt';
import {Code, ConnectError} from '@connectrpc/connect';
import test from 'ava';
import {findBarriers} from '../../mock/axe.ts';
import {addMachines} from '../../mock/machines.ts';
import {renderConsole} from '../../mock/render.tsx';
import {addSessions} from '../../mock/sessions.ts';
import type {MockNoun} from '../../mock/transport.ts';

const {userEvent} = await import('@testing-library/user-event');
const {within} = await import('@testing-library/react');

type Asked = {readonly after: bigint | undefined; readonly types: readonly string[]};

/** Two events and a gap. The filter "bad" is refused. */
const journal =
  (asked: Asked[] = []): MockNoun =>
  router =>
    router.service(EventService, {
      async *watchEvents({after, types, filter}, {signal}) {
        if (filter === 'bad')
          throw new ConnectError('Cannot read the filter: "bad" is none', Code.InvalidArgument);
        if (after === undefined) yield {position: 5n};
        else {
          asked.push({after, types});
          const time = timestampFromMs(Date.UTC(2026, 5, 1, 12));
          yield {position: 2n, missed: {from: 1n, to: 2n}};
          yield {
            position: 3n,
            event: {
              id: 'e3',
              position: 3n,
              time,
              type: 'machine.failed',
              actor: 'user:ada',
              machineId: '00000000-0000-7000-8000-000000000007',
              subject: 'machines/00000000-0000-7000-8000-000000000007',
              data: {from: 'provisioning', reason: 'Its build failed'},
            },
          };
          yield {
            position: 6n,
            event: {id: 'e6', position: 6n, time, type: 'build.started', subject: 'builds/b1'},
          };
        }
        await new Promise(resolve => signal.addEventListener('abort', resolve));
      },
    });

test.serial('an event is one readable line, opens to its details, and a gap is shown', async t => {
  using app = renderConsole('/events', addSessions, addMachines, journal());
  const user = userEvent.setup();
  const list = await app.findByRole('region', {name: 'Events'});
  const type = await within(list).findByRole('button', {name: 'machine.failed'});
  t.truthy(within(list).getByText('from provisioning · Its build failed'));
  t.truthy(within(list).getByText(/Not shown: positions 1 to 2/));
  t.truthy(await within(list).findByRole('link', {name: 'node-00007'}));
  t.deepEqual(await findBarriers(app.container), []);

  await user.click(type);
  t.is(type.getAttribute('aria-expanded'), 'true');
  t.regex(
    within(list).getByLabelText('Data of the event').textContent,
    /"reason": "Its build failed"/,
  );
  await user.click(within(list).getByRole('button', {name: 'Only machine.failed'}));
  t.is(app.router.state.location.search.types, 'machine.failed');
});

test.serial('kinds and replay stand in the address and reach the server', async t => {
  const asked: Asked[] = [];
  using app = renderConsole('/events', addSessions, addMachines, journal(asked));
  const user = userEvent.setup();
  await user.click(await app.findByRole('button', {name: 'Operations'}));
  await user.click(app.getByRole('button', {name: 'Replay …'}));
  await user.type(within(await app.findByRole('dialog')).getByRole('textbox'), '2');
  await user.click(within(app.getByRole('dialog')).getByRole('button', {name: 'Replay'}));
  t.truthy(await app.findByRole('button', {name: 'Back to now'}));
  t.like(app.router.state.location.search, {types: 'bulk.,rollout.', after: '2'});
  await app.findByRole('button', {name: 'build.started'});
  t.deepEqual(asked.at(-1), {after: 2n, types: ['bulk.', 'rollout.']});
});

test.serial('a filter that the server refuses is said, and the key p pauses', async t => {
  using app = renderConsole('/events?filter=bad', addSessions, addMachines, journal());
  const user = userEvent.setup();
  t.regex((await app.findByRole('alert')).textContent, /Cannot follow the events.*"bad" is none/);
  t.is(app.getByLabelText('Filter').getAttribute('aria-invalid'), 'true');

  await user.keyboard('p');
  t.truthy(await app.findByRole('button', {name: 'Go on', pressed: true}));
});
