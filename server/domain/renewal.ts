import {verify} from 'node:crypto';
import {publicKeyOf} from '@muster/runtime/tokens.ts';
import {DomainError} from '../errors.ts';
import {type AgentKey, findAgentKey} from '../store/agents.ts';
import {findMachine} from '../store/machines.ts';
import type {AgentKeys} from './agent-keys.ts';
import type {AgentCredentials} from './agents.ts';
import type {Deps} from './deps.ts';

export type Renewal = ReturnType<typeof createRenewal>;

export type RenewRequest = {
  readonly machineId: string;
  readonly publicKey: string;
  readonly nonce: string;
  readonly signature: Uint8Array;
};

/** A new login for the key that speaks for a machine, also after the old one expired: an outage strands nobody. */
export function createRenewal({
  sql,
  agentKeys,
  credentials,
}: Pick<Deps, 'sql'> & {
  readonly agentKeys: AgentKeys;
  readonly credentials: AgentCredentials;
}) {
  /** Throws unauthenticated unless the caller holds the key. */
  async function prove({machineId, publicKey, nonce, signature}: RenewRequest): Promise<AgentKey> {
    if (!(await credentials.checkNonce(machineId, nonce)))
      throw refusal('NONCE_EXPIRED', 'the nonce has expired; ask for a new one');
    const key = await findAgentKey(sql, publicKey);
    if (!key || key.machineId !== machineId)
      throw refusal('KEY_REVOKED', `this key is not one of machine "${machineId}"; boot again`);
    const signed = Buffer.from(`muster-renew-v1\n${machineId}\n${nonce}`);
    if (!verify(null, signed, publicKeyOf(publicKey), signature))
      throw refusal(undefined, 'the signature is not by this key');
    return key;
  }

  return {
    createNonce: async (machineId: string) => credentials.createNonce(machineId),

    /** Throws unauthenticated or permission_denied with a reason of AgentErrorInfo. */
    async renew(request: RenewRequest) {
      const key = await prove(request);
      if (key.state !== 'current') {
        // Only now, after the signature: nobody can have a machine quarantined by naming a public key.
        await sql.begin(tx => agentKeys.heardEndedKey(tx, key));
        throw refusal('KEY_REVOKED', `this key was ${key.state}; boot again`);
      }
      const {machineId, publicKey} = key;
      const machine = await findMachine(sql, machineId);
      if (!machine || machine.state === 'rejected')
        throw new DomainError('permission_denied', `Cannot renew: the machine is rejected`, {
          reason: 'REJECTED',
        });
      return credentials.issueAgentCredential({machineId, publicKey});
    },
  };
}

function refusal(reason: string | undefined, why: string): DomainError {
  return new DomainError('unauthenticated', `Cannot renew: ${why}`, reason ? {reason} : {});
}
