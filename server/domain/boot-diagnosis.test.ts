import test from 'ava';
import type {BootHop, BootHopKind, BootSession} from '../store/boot-sessions.ts';
import {diagnose} from './boot-diagnosis.ts';

const start = new Date('2026-01-01T00:00:00Z');
const at = (seconds: number) => new Date(start.getTime() + seconds * 1000);

const hop = (kind: BootHopKind, seconds: number, detail = ''): BootHop => ({
  id: `${kind}-${seconds}`,
  sessionId: 's',
  kind,
  time: at(seconds),
  ipAddress: '',
  detail,
  bytes: 0,
  complete: true,
  imageId: undefined,
});

const cases = test.macro(
  (t, state: BootSession['state'], hops: readonly BootHop[], expected: RegExp | string) => {
    const text = diagnose({state, startTime: start}, hops, at(130));
    if (typeof expected === 'string') t.is(text, expected);
    else t.regex(text, expected);
  },
);

test('nothing yet', cases, 'open', [], 'Nothing was seen of this boot yet');
test(
  'under way',
  cases,
  'open',
  [hop('loader', 0), hop('kernel', 100, 'vmlinuz')],
  'it fetched the kernel (vmlinuz); now waiting for the initrd, 30 s so far',
);
test(
  'no script',
  cases,
  'stalled',
  [hop('loader', 0, 'undionly.kpxe')],
  /^Stopped: it fetched its boot loader \(undionly.kpxe\), but the boot script did not come\. iPXE got no address/,
);
test('no agent', cases, 'stalled', [hop('token', 9), hop('initrd', 9)], /Secure Boot/);
test('no bus', cases, 'stalled', [hop('token', 9), hop('enrolled', 20)], /cannot reach NATS/);
test(
  'done',
  cases,
  'completed',
  [hop('script', 0), hop('hello', 42)],
  'Booted: the agent said hello 42 s after the first request',
);
test(
  'a failed download',
  cases,
  'stalled',
  [hop('script', 0), hop('failure', 5, 'kernel: 0x2d0c613b')],
  /^Failed in the firmware \(kernel: 0x2d0c613b\): the file does not exist \(404\)/,
);
test(
  'a time-out without prefix',
  cases,
  'open',
  [hop('failure', 5, 'dhcp errno=4c106092')],
  /timed out/,
);
test(
  'an unknown code',
  cases,
  'open',
  [hop('failure', 5, 'boot 0x7f000001')],
  /ipxe\.org\/7f000001$/,
);
test(
  'a failure without a code',
  cases,
  'open',
  [hop('failure', 5, 'boot')],
  'Failed in the firmware: boot. Look at the machine’s console',
);
test(
  'a retry after a failure',
  cases,
  'stalled',
  [hop('failure', 5, 'kernel 0x4c106092'), hop('kernel', 9)],
  /^Stopped: it fetched the kernel/,
);
