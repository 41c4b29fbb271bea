import {existsSync} from 'node:fs';
import {join} from 'node:path';
import {writeFile} from './files.ts';
import {describeError, type Log} from './log.ts';
import {runCommand, type Tools} from './run-command.ts';
import {pause} from './waits.ts';

const commandTimeoutMs = 20_000;
/** After an orderly way began, the machine has this long to go down before the next way is tried. */
const goDownTimeoutMs = 60_000;

export type PowerAction = 'reboot' | 'power_off';

/** One way to take the machine down; they are tried in order. */
export type Way =
  | {readonly kind: 'command'; readonly tool: string; readonly args: readonly string[]}
  | {readonly kind: 'sysrq'; readonly keys: readonly string[]};

/** Orderly first. SysRq (kernel documentation, admin-guide/sysrq): sync, remount read-only, then boot or off. */
export function waysTo(action: PowerAction, systemdRuns: boolean): readonly Way[] {
  const reboots = action === 'reboot';
  const verb = reboots ? 'reboot' : 'poweroff';
  return [
    ...(systemdRuns ? [{kind: 'command', tool: 'systemctl', args: [verb]} as const] : []),
    {kind: 'command', tool: verb, args: ['-f']},
    {kind: 'sysrq', keys: ['s', 'u', reboots ? 'b' : 'o']},
  ];
}

export type Host = {
  /** Takes the machine down; returns only when every way failed, or at once when actions are only logged. */
  act(action: PowerAction, signal: AbortSignal): Promise<void>;
};

export function createHost({
  root,
  tools,
  mode,
  log,
}: {
  readonly root: string;
  readonly tools: Tools;
  readonly mode: 'real' | 'log';
  readonly log: Log;
}): Host {
  const sysrqTrigger = join(root, 'proc/sysrq-trigger');
  const go = async (way: Way): Promise<boolean> => {
    if (way.kind === 'command') {
      const path = tools.find(way.tool);
      if (path === undefined) return false;
      await runCommand(path, way.args, commandTimeoutMs);
    } else {
      // One key per write: the kernel takes the first of each.
      for (const key of way.keys) await writeFile(sysrqTrigger, key);
    }
    return true;
  };

  return {
    async act(action, signal) {
      if (mode === 'log') {
        log.info({action}, `would ${action === 'reboot' ? 'reboot' : 'power off'} now`);
        return;
      }
      for (const way of waysTo(action, existsSync(join(root, 'run/systemd/system')))) {
        try {
          if (await go(way)) await pause(goDownTimeoutMs, signal);
        } catch (error) {
          log.error({way}, `cannot ${action} this way: ${describeError(error)}`);
        }
        if (signal.aborted) return;
      }
      log.error({action}, 'no way to take the machine down worked');
    },
  };
}
