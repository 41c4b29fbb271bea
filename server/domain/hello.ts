import {findAgentKeyOfBoot} from '../store/agents.ts';
import type {Sql} from '../store/db.ts';
import {appendEvent} from '../store/events.ts';
import {holdImage} from '../store/image-collection.ts';
import {findMachineForUpdate, type Machine, updateMachine} from '../store/machines.ts';
import type {AgentKeys} from './agent-keys.ts';
import type {Boot} from './boot.ts';
import type {BootImage, BootImages} from './boot-images.ts';
import type {BootSessions} from './boot-sessions.ts';
import {clockSkewOf} from './clock-skew.ts';
import type {Commands} from './commands.ts';
import type {Deps} from './deps.ts';
import type {Transitions} from './transitions.ts';

export type Hello = {
  readonly bootSession: string;
  readonly bootId: string;
  readonly imageInputKey: string;
  readonly agentVersion: string;
  readonly machineTime: Date | undefined;
  /** When the bus took it, by the server's clock. */
  readonly heardTime: Date;
};

export type Hellos = ReturnType<typeof createHellos>;

/** A report may have been under way when its key was replaced. */
const replacedKeyGraceMs = 15_000;

/** What it means that an agent is there: the end of its boot, and ACTIVE when it runs what it shall run. */
export function createHellos({
  now,
  newId,
  images,
  transitions,
  bootSessions,
  boot,
  commands,
  agentKeys,
}: Omit<Deps, 'sql'> & {
  readonly images: BootImages;
  readonly transitions: Transitions;
  readonly bootSessions: BootSessions;
  readonly boot: Boot;
  readonly commands: Commands;
  readonly agentKeys: AgentKeys;
}) {
  /** True when the hello comes from a boot whose key was replaced since. */
  async function isFromReplacedKey(tx: Sql, machineId: string, hello: Hello): Promise<boolean> {
    const key = await findAgentKeyOfBoot(tx, machineId, hello.bootId);
    if (!key || key.state === 'current') return false;
    const endedMs = key.endTime?.getTime() ?? 0;
    if (hello.heardTime.getTime() > endedMs + replacedKeyGraceMs)
      await agentKeys.heardEndedKey(tx, key);
    return true;
  }

  /** True when a session was open until now. */
  async function endSession(tx: Sql, machine: Machine, hello: Hello, image: BootImage | undefined) {
    const macAddresses = machine.macAddresses;
    const open = await bootSessions.find(tx, hello.bootSession, macAddresses);
    if (open?.state === 'completed') return false;
    const {uuid, serviceTag: serial, manufacturer, product} = machine;
    const macs = open ? [open.macAddress] : [machine.macAddress].filter(mac => mac !== '');
    const client = {
      macAddresses: macs,
      uuid,
      serial,
      ipAddress: '',
      platform: '',
      manufacturer,
      product,
      session: hello.bootSession,
    };
    await bootSessions.recordOwn(tx, 'hello', client, image?.id);
    const session = await bootSessions.find(tx, hello.bootSession, macAddresses);
    if (session) await bootSessions.complete(tx, session, machine.id);
    return session !== undefined;
  }

  /** Undefined when this image makes the machine nothing new. */
  function activeReason(machine: Machine, image: BootImage | undefined): string | undefined {
    const {state, desiredImageId, badImageIds, lastGoodImageId, quarantineReason} = machine;
    if (!image || quarantineReason || (state !== 'ready' && state !== 'failed')) return undefined;
    if (image.id === desiredImageId) return 'It runs its desired image and has said so';
    const rolledBack = desiredImageId !== undefined && badImageIds.includes(desiredImageId);
    return rolledBack && state === 'ready' && image.id === lastGoodImageId
      ? 'It runs the last image that worked: the desired one failed two trials'
      : undefined;
  }

  return {
    /** In the transaction of the report. False when there is no such machine. */
    async hear(tx: Sql, machineId: string, hello: Hello): Promise<boolean> {
      const machine = await findMachineForUpdate(tx, machineId);
      if (!machine) return false;
      if (await isFromReplacedKey(tx, machineId, hello)) return true;

      const named = await images.findByInputKey(hello.imageInputKey, tx);
      // Held, because the machine names it from now on.
      const image = named && (await holdImage(tx, named.id)) ? named : undefined;
      const ended = await endSession(tx, machine, hello, image);
      const isNewBoot =
        ended || hello.bootId !== machine.bootId || image?.id !== machine.bootedImageId;
      await boot.consumeOverride(tx, machine, hello.bootSession);
      const works = image !== undefined && image.kind !== 'registration';
      await updateMachine(tx, machineId, {
        bootId: hello.bootId,
        agentVersion: hello.agentVersion,
        bootedImageId: image?.id,
        inRegistration: image?.kind === 'registration',
        ...(isNewBoot ? {bootTime: now()} : {}),
        clockSkewMs: clockSkewOf(hello.machineTime, hello.heardTime),
        ...(works ? {lastGoodImageId: image.id} : {}),
        ...(works && image.id === machine.desiredImageId ? {failedTrials: 0} : {}),
        ...(works ? {badImageIds: machine.badImageIds.filter(id => id !== image.id)} : {}),
        updateTime: now(),
      });
      if (isNewBoot) {
        await commands.finishByBoot(tx, machineId);
        await appendEvent(tx, {
          id: newId(),
          time: now(),
          type: 'machine.booted',
          actor: `agent:${machineId}`,
          machineId,
          subject: `machines/${machineId}`,
          data: {
            session: hello.bootSession,
            imageId: image?.id ?? '',
            kind: image?.kind ?? 'unknown',
          },
        });
      }
      const reason = activeReason(machine, image);
      if (reason)
        await transitions.transition(tx, {
          machineId,
          to: 'active',
          actor: `agent:${machineId}`,
          reason,
        });
      return true;
    },
  };
}
