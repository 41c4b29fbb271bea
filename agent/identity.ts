import {createUser} from '@nats-io/nkeys';

/** The key pair of this boot. The private part lives in this process and nowhere else. */
export type Identity = {
  /** A NATS user key: "U…". */
  readonly publicKey: string;
  /** Ed25519. */
  sign(text: string): Uint8Array;
};

export function createIdentity(): Identity {
  const key = createUser();
  return {
    publicKey: key.getPublicKey(),
    sign: text => key.sign(Buffer.from(text)),
  };
}

/** What `RenewAgentRequest.signature` covers: the proof that the caller holds the machine's key now. */
export function signRenewal(identity: Identity, machineId: string, nonce: string): string {
  return Buffer.from(identity.sign(`muster-renew-v1\n${machineId}\n${nonce}`)).toString('base64');
}

/** For the NATS client, which calls it synchronously at each login and closes for good when it throws: it gives what is there. */
export function createAuthenticator(identity: Identity, jwt: () => string) {
  return (nonce?: string) => ({
    jwt: jwt(),
    nkey: identity.publicKey,
    sig: Buffer.from(identity.sign(nonce ?? '')).toString('base64url'),
  });
}
