import {DomainError} from '../errors.ts';
import * as agentStore from '../store/agents.ts';
import type {Sql} from '../store/db.ts';
import {appendEvent} from '../store/events.ts';
import {lockEvidence} from '../store/evidence.ts';
import {findMachineForUpdate, type Machine, updateMachine} from '../store/machines.ts';
import {type AcceptancePolicy, acceptanceOf} from './acceptance.ts';
import type {AgentKeys} from './agent-keys.ts';
import type {AgentCredentials} from './agents.ts';
import type {Bans} from './bans.ts';
import type {BootSessions} from './boot-sessions.ts';
import type {BootToken, VerifyBootToken} from './boot-tokens.ts';
import type {Deps} from './deps.ts';
import {type Evidence, type EvidenceItem, evidenceItems} from './identity.ts';
import {clockSkewOf} from './clock-skew.ts';
import {createRateLimit} from './rate-limit.ts';
import {macsOf, machineFields, type Recognition, reported} from './recognition.ts';
import type {RuleApplication} from './rule-application.ts';
import type {Transitions} from './transitions.ts';
import {createTurnstile} from './turnstile.ts';

const turnstileLimits = {
  /** Of 20 connections to PostgreSQL: reports and samples of those that run must not wait for those that come. */
  atOnceMax: 8,
  /** Few: agents that are refused at once come again later, and those that waited long would not hear their answer any more. */
  waitingMax: 64,
  /** An agent gives up after 30 s, and the way through a busy server takes its time. */
  waitMsMax: 10_000,
};

export type Enrolment = ReturnType<typeof createEnrolment>;

export type EnrolRequest = {
  readonly bootToken: string;
  readonly publicKey: string;
  readonly evidence: Evidence;
  readonly imageInputKey: string;
  readonly bootId: string;
  readonly agentVersion: string;
  /** The machine's clock, for the skew only. */
  readonly machineTime?: Date | undefined;
};

/** Committed, and then told to the caller: what is recorded about a refusal must not be rolled back with it. */
type Outcome = {readonly machine: Machine} | {readonly refused: DomainError};

/** How an agent becomes a machine's agent (DESIGN §4, "Trust"). Trusts nothing that it hears. */
export function createEnrolment({
  sql,
  now,
  newId,
  policy,
  verifyBootToken,
  recognition,
  transitions,
  bootSessions,
  agentKeys,
  credentials,
  rules,
  bans,
}: Deps & {
  readonly policy: AcceptancePolicy;
  readonly verifyBootToken: VerifyBootToken;
  readonly recognition: Recognition;
  readonly transitions: Transitions;
  readonly bootSessions: BootSessions;
  readonly agentKeys: AgentKeys;
  readonly credentials: AgentCredentials;
  readonly rules: Pick<RuleApplication, 'defer' | 'enrolled'>;
  readonly bans: Pick<Bans, 'find'>;
}) {
  const turnstile = createTurnstile({what: 'enrol', ...turnstileLimits});
  // A machine that is refused tries again: the journal need not tell each time.
  const refusals = createRateLimit({perMinuteMax: 6, keysMax: 10_000, now});

  async function refuse(
    tx: Sql,
    type: string,
    refusal: {machineId?: string | undefined; error: DomainError; data: Record<string, string>},
  ): Promise<Outcome> {
    const {machineId, error, data} = refusal;
    if (refusals.allow(data.macAddress ?? ''))
      await appendEvent(tx, {
        id: newId(),
        time: now(),
        type,
        actor: 'system',
        machineId,
        data: {...data, message: error.message},
      });
    return {refused: error};
  }

  const turnAway = (tx: Sql, {macAddress = '', session}: BootToken, reason: string) =>
    refuse(tx, 'enrolment.refused', {
      error: error('REJECTED', `this box is banned: ${reason}`, 'permission_denied'),
      data: {macAddress, session},
    });

  /** The whole decision, in one transaction. */
  async function decide(tx: Sql, request: EnrolRequest, token: BootToken): Promise<Outcome> {
    const {publicKey} = request;
    const evidence = withTokenMac(request.evidence, token);
    const items = evidenceItems(evidence);
    await lockEvidence(tx, items);
    const ban = await bans.find(tx, items);
    if (ban) return turnAway(tx, token, ban.reason);
    const {id, expireTime, macAddress = '', session} = token;
    const owner = await agentStore.claimBootToken(tx, {id, publicKey, expireTime});
    if (owner.publicKey !== publicKey)
      return refuse(tx, 'enrolment.token_reused', {
        machineId: owner.machineId,
        error: error('TOKEN_REUSED', 'another key presented this boot token first; boot again'),
        data: {publicKey, macAddress, session},
      });

    const key = await agentStore.findAgentKey(tx, publicKey);
    // No reason to doubt the machine: a public key in a request proves nothing.
    if (key && key.state !== 'current')
      return {refused: error('KEY_REVOKED', `this key was ${key.state}; boot again`)};
    const heard = {request, token, items, evidence, installed: key !== undefined};
    if (key) return admit(tx, await findMachineForUpdate(tx, key.machineId), heard);

    const match = await recognition.recognise(tx, items);
    const known =
      match.kind === 'match' ? await findMachineForUpdate(tx, match.machineId) : undefined;
    const replacing = known && (await mayReplaceKey(tx, known, heard));
    if (known && (replacing === 'session_over' || replacing === 'not_there'))
      return refuse(tx, 'enrolment.refused', {
        machineId: known.id,
        error: notAgain[replacing](known),
        data: {publicKey, macAddress, session},
      });
    const found = replacing === 'yes' ? known : undefined;
    const own = await recognition.withoutMacsOfOthers(tx, evidence, found?.id);
    const admission = {...heard, evidence: own, items: evidenceItems(own)};
    if (found) return admit(tx, found, admission);
    const doubt = match.kind === 'conflict' ? match.reason : known && otherNic(known);
    return admit(tx, await takeIn(tx, admission, doubt), admission);
  }

  /** A machine that was not known, or cannot be told apart (`doubt`); undefined when policy refuses strangers. */
  async function takeIn(
    tx: Sql,
    {items, token, evidence}: Admission,
    doubt: string | undefined,
  ): Promise<Machine | undefined> {
    const doubted = doubt && (await agentStore.findQuarantinedByMac(tx, token.macAddress ?? ''));
    if (doubted) return findMachineForUpdate(tx, doubted);
    const state = await rules.defer(tx, undefined, acceptanceOf(policy, undefined));
    if (state === 'refuse' || state === 'keep') return undefined;
    return recognition.add(tx, {
      state: doubt ? 'pending' : state,
      actor: 'system',
      reason: doubt
        ? 'It cannot be told apart from another machine'
        : `It enrolled with a boot token under the policy "${policy}"`,
      items,
      fields: {...machineFields(evidence), trust: 'token', quarantineReason: doubt ?? ''},
    });
  }

  /** A new key replaces the old only inside an open boot session of that machine, or within the boot that made the old one. */
  async function mayReplaceKey(
    tx: Sql,
    machine: Machine,
    {token, request}: Pick<Admission, 'token' | 'request'>,
  ): Promise<'yes' | 'other_nic' | 'not_there' | 'session_over'> {
    if (!(await agentStore.hasAgentKey(tx, machine.id))) return 'yes';
    const {macAddress, session, otherNeighbour} = token;
    if (!macAddress || !machine.macAddresses.includes(macAddress)) return 'other_nic';
    // Another of its own NICs may answer for the address.
    if (otherNeighbour && !machine.macAddresses.includes(otherNeighbour)) return 'not_there';
    // The edge may report the session after its machine enrols: its signature on the token stands for it until then.
    const found = await bootSessions.find(tx, session, machine.macAddresses);
    if (session !== '' && found?.state !== 'completed') return 'yes';
    // An agent that was restarted: nobody else knows the kernel's random boot id of the boot that is over by now.
    const before = await agentStore.findAgentKeyOfBoot(tx, machine.id, request.bootId);
    return request.bootId !== '' && before && before.state !== 'replaced' ? 'yes' : 'session_over';
  }

  async function admit(
    tx: Sql,
    found: Machine | undefined,
    {request, token, items, evidence, installed}: Admission,
  ): Promise<Outcome> {
    const acceptance = found?.quarantineReason
      ? 'keep'
      : await rules.defer(tx, found, acceptanceOf(policy, found));
    if (!found || acceptance === 'refuse')
      return refuse(tx, 'enrolment.refused', {
        machineId: found?.id,
        error: error(
          'REJECTED',
          found
            ? `machine "${found.id}" is ${found.state}; an operator can accept it`
            : `the policy "${policy}" takes no strangers; add this machine first`,
          'permission_denied',
        ),
        data: {macAddress: token.macAddress ?? '', session: token.session},
      });

    const {publicKey, bootId, imageInputKey, agentVersion} = request;
    if (!installed) {
      const bootSession = token.session;
      const key = {publicKey, bootId, bootSession, imageInputKey, agentVersion};
      await agentKeys.install(tx, found, key);
      await recognition.learn(tx, found.id, items);
      const trust = found.trust === 'seen' ? 'token' : found.trust;
      const fields = reported(machineFields(evidence));
      const clockSkewMs = clockSkewOf(request.machineTime, now());
      await updateMachine(tx, found.id, {...fields, trust, clockSkewMs, updateTime: now()});
      await bootSessions.recordOwn(tx, 'enrolled', clientOf(evidence, token), token.imageId);
    }
    await agentStore.setBootTokenMachine(tx, token.id, found.id);
    return {machine: await rules.enrolled(tx, await accept(tx, found, acceptance))};
  }

  async function accept(tx: Sql, found: Machine, acceptance: 'enrolled' | 'pending' | 'keep') {
    if (acceptance === 'keep' || acceptance === found.state)
      return found.state === 'enrolled' ? transitions.startWithImage(tx, found.id) : found;
    const actor = `agent:${found.id}`;
    const reason = `It enrolled with a boot token under the policy "${policy}"`;
    const moved = {machineId: found.id, to: acceptance, actor, reason};
    const machine = await transitions.transition(tx, moved);
    return acceptance === 'enrolled' ? transitions.startWithImage(tx, found.id) : machine;
  }

  return {
    /** Throws unauthenticated or permission_denied with a reason of AgentErrorInfo. */
    async enrol(request: EnrolRequest) {
      const outcome = await turnstile.pass(async () => {
        const token = await verifyBootToken(request.bootToken);
        return sql.begin(tx => decide(tx, request, token));
      });
      if ('refused' in outcome) throw outcome.refused;

      const {id: machineId, state} = outcome.machine;
      const {publicKey} = request;
      const credential = await credentials.issueAgentCredential({machineId, publicKey});
      return {machineId, state, ...credential};
    },
  };
}

type Admission = {
  readonly request: EnrolRequest;
  readonly token: BootToken;
  readonly items: readonly EvidenceItem[];
  readonly evidence: Evidence;
  /** This key is the machine's current one already: nothing to learn. */
  readonly installed: boolean;
};

const otherNic = ({id}: Machine): string =>
  `It says that it is machine "${id}", but booted from a NIC that is not that machine's`;

const notAgain = {
  session_over: ({id}: Machine) =>
    error('KEY_REVOKED', `machine "${id}" has an agent since this boot; boot again`),
  not_there: ({id}: Machine) =>
    error(
      'TOKEN_INVALID',
      `machine "${id}" has an agent, and the edge saw another NIC behind the address that asked for this token`,
    ),
} as const;

function error(
  reason: string,
  why: string,
  kind: 'unauthenticated' | 'permission_denied' = 'unauthenticated',
): DomainError {
  return new DomainError(kind, `Cannot enrol: ${why}`, {reason});
}

/** The MAC that asked for the token is the one it booted from, whatever the agent says. */
function withTokenMac(evidence: Evidence, {macAddress}: BootToken): Evidence {
  if (!macAddress) return evidence;
  return {
    ...evidence,
    bootMacAddress: macAddress,
    macAddresses: [...new Set([...macsOf(evidence.macAddresses), macAddress])],
  };
}

function clientOf(evidence: Evidence, {session, ipAddress}: BootToken) {
  const {uuid, systemSerial, manufacturer, product, bootMacAddress} = evidence;
  const macAddresses = bootMacAddress ? [bootMacAddress] : [];
  return {
    macAddresses,
    uuid,
    serial: systemSerial,
    ipAddress,
    platform: '',
    manufacturer,
    product,
    session,
  };
}
