import {once} from 'node:events';
import net from 'node:net';
import {setImmediate} from 'node:timers/promises';
import test from 'ava';
import {type Monitor, openMonitor} from './monitor.ts';

/** In place of QEMU: calls the monitor and reads nothing. */
async function callWithoutReading(monitor: Monitor): Promise<net.Socket> {
  const socketPath = /path=([^,]+)/.exec(monitor.arguments.join(' '))?.[1] ?? '';
  const machine = new net.Socket();
  machine.pause();
  machine.connect(socketPath);
  await once(machine, 'connect');
  return machine;
}

/** A command that the machine was sent: its answer is awaited. */
async function sendCommand(monitor: Monitor): Promise<{readonly answer: Promise<string>}> {
  for (;;) {
    const answer = monitor.screendump('/nonexistent/screen.png').then(
      () => 'written',
      (error: unknown) => String(error),
    );
    const first = await Promise.race([answer, setImmediate('under way')]);
    if (first === 'under way') return {answer};
  }
}

test('a machine that ends with a command unread ends nothing but its monitor', async t => {
  await using monitor = await openMonitor(() => t.fail('it did not switch itself off'));
  const machine = await callWithoutReading(monitor);
  const {answer} = await sendCommand(monitor);
  machine.destroy();
  t.regex(await answer, /Cannot screendump: the machine is gone/);
});
