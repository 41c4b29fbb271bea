import type {Sql} from '../store/db.ts';

/** Logins of agents; made by domain/nats-trust.ts. */
export type AgentCredentials = {
  /** A NATS user JWT limited to this machine's subjects (docs/bus.md). The key's private part never leaves the machine. */
  issueAgentCredential(agent: {
    readonly machineId: string;
    readonly publicKey: string;
  }): Promise<{readonly jwt: string; readonly expiresInSeconds: number}>;
  /** Drops the key's live connection and refuses its logins once the caller's transaction has committed. Idempotent. */
  recordRevocation(tx: Sql, publicKey: string): Promise<void>;
  /** Proof of freshness for one renewal, which any server can check. */
  createNonce(machineId: string): string | Promise<string>;
  /** False when it expired or was made for another machine. */
  checkNonce(machineId: string, nonce: string): boolean | Promise<boolean>;
};
