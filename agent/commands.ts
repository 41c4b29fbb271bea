import {countField, fieldOf, isObject, parseObject, textField, textsField} from './json.ts';
import type {Host, PowerAction} from './host.ts';
import type {Locator} from './locate.ts';
import {describeError, type Log} from './log.ts';
import type {Outbox, Report} from './outbox.ts';

const commandBytesMax = 64 * 1024;
const commandIdLengthMax = 128;
const receiptCountMax = 1000;
const runningCountMax = 16;
/** Commands whose results are kept, to be given again when the server asks again. */
const rememberedCountMax = 256;
/** How long a command that ends this process waits for its result to be confirmed. */
const receiptTimeoutMs = 15_000;
const messageLengthMax = 1000;

export type Command = {readonly commandId: string} & (
  | {readonly operation: PowerAction; readonly reason: string}
  | {readonly operation: 'collect_inventory'}
  | {readonly operation: 'locate'; readonly durationSeconds: number}
  | {readonly operation: 'received'; readonly reportIds: readonly string[]}
);

/** The command in an envelope that names this machine and a known operation; otherwise why it is none. */
export function parseCommand(
  data: Uint8Array,
  machineId: string,
): {readonly command: Command} | {readonly problem: string} {
  if (data.length > commandBytesMax) return {problem: `longer than ${commandBytesMax} bytes`};
  const object = parseObject(Buffer.from(data).toString('utf8'));
  if (!object) return {problem: 'no JSON object'};
  if (fieldOf(object, 'machineId') !== machineId) return {problem: 'meant for another machine'};

  const commandId = textField(object, 'commandId') ?? '';
  const operations = ['reboot', 'powerOff', 'collectInventory', 'locate', 'received'] as const;
  const [reboot, powerOff, collectInventory, locate, received] = operations.map(name =>
    fieldOf(object, name),
  );
  const given = [reboot, powerOff, collectInventory, locate, received].filter(isObject);
  if (given.length !== 1) return {problem: 'no known operation'};
  if (isObject(received)) {
    const reportIds = textsField(received, 'reportIds').slice(0, receiptCountMax);
    return {command: {commandId, operation: 'received', reportIds}};
  }
  if (commandId === '' || commandId.length > commandIdLengthMax) return {problem: 'no command id'};

  if (isObject(reboot))
    return {command: {commandId, operation: 'reboot', reason: textField(reboot, 'reason') ?? ''}};
  if (isObject(powerOff)) {
    const reason = textField(powerOff, 'reason') ?? '';
    return {command: {commandId, operation: 'power_off', reason}};
  }
  if (isObject(locate)) {
    const durationSeconds = countField(locate, 'durationSeconds') ?? 0;
    return {command: {commandId, operation: 'locate', durationSeconds}};
  }
  return {command: {commandId, operation: 'collect_inventory'}};
}

/** What the machine itself shall do. */
export type HostCommand = Exclude<Command, {operation: 'received'}>;

type Deps = {
  readonly outbox: Outbox;
  readonly host: Host;
  readonly locator: Locator;
  /** Collects and reports the inventory; throws when it cannot. */
  readonly collectInventory: () => Promise<void>;
  /** Sends what is due. */
  readonly send: () => void;
  readonly log: Log;
  readonly signal: AbortSignal;
};

/** Runs each command once, however often it comes. Its result stays in the outbox until the server confirms it. */
export function createCommandRunner(deps: Deps) {
  const {outbox, log, send, signal} = deps;
  /** Command id to its result; undefined while it runs. Insertion order is age. */
  const remembered = new Map<string, Report | undefined>();
  let runningCount = 0;

  const report = (commandId: string, succeeded: boolean, message: string): string => {
    const result = {commandId, succeeded, message: message.slice(0, messageLengthMax)};
    const reportId = outbox.putResult(result);
    remembered.set(commandId, outbox.find(reportId));
    send();
    return reportId;
  };

  const execute = async (command: HostCommand): Promise<void> => {
    const {commandId} = command;
    switch (command.operation) {
      case 'reboot':
      case 'power_off': {
        const verb = command.operation === 'reboot' ? 'Rebooting' : 'Powering off';
        const reportId = report(commandId, true, verb);
        await outbox.waitForReceipt(reportId, receiptTimeoutMs);
        await deps.host.act(command.operation, signal);
        return;
      }
      case 'collect_inventory':
        await deps.collectInventory();
        report(commandId, true, 'Collected the inventory');
        return;
      case 'locate': {
        const how = await deps.locator.start(command.durationSeconds, signal);
        report(commandId, how !== undefined, how ?? 'This machine has nothing to blink or to ring');
        return;
      }
      default:
        command satisfies never;
    }
  };

  return {
    async run(command: HostCommand): Promise<void> {
      const {commandId, operation} = command;
      if (remembered.has(commandId)) {
        const before = remembered.get(commandId);
        if (before) outbox.putBack(before);
        send();
        return;
      }
      if (runningCount >= runningCountMax || !outbox.hasRoomForResult()) {
        log.warn({commandId, operation}, 'too many commands at a time: this one is not taken');
        return;
      }
      remembered.set(commandId, undefined);
      forgetOldest(remembered);
      log.info(command, `command: ${operation.replace('_', ' ')}`);
      runningCount++;
      try {
        await execute(command);
      } catch (error) {
        report(commandId, false, describeError(error));
      }
      runningCount--;
    },
    /** The machine has a new id: commands to the old one are over. */
    reset(): void {
      remembered.clear();
      outbox.dropResults();
    },
  };
}

export type CommandRunner = ReturnType<typeof createCommandRunner>;

/** Never one that still runs, so that no command runs twice at a time. */
function forgetOldest(remembered: Map<string, Report | undefined>): void {
  if (remembered.size <= rememberedCountMax) return;
  for (const [commandId, result] of remembered) {
    if (!result) continue;
    remembered.delete(commandId);
    return;
  }
}
