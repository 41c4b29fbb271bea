import {createHmac, randomBytes, timingSafeEqual} from 'node:crypto';
import type {MasterKey} from '../secrets.ts';

const lifetimeMs = 60_000;
const timeBytes = 6;
const randomBytesCount = 16;
const macBytes = 32;

export type AgentNonces = ReturnType<typeof createAgentNonces>;

/**
 * Nonces for RenewAgent. Nothing is stored: a nonce carries its time and a MAC over machine and time, so that any server may check what
 * another one gave out. One that is sent twice within its 60 s only renews the same key twice.
 */
export function createAgentNonces({key, now}: {key: MasterKey; now: () => Date}) {
  const secret = key.derive('agent nonces');
  const mac = (machineId: string, head: Uint8Array) =>
    createHmac('sha256', secret).update(`${machineId}\n`).update(head).digest();

  return {
    createNonce(machineId: string): string {
      const head = Buffer.alloc(timeBytes + randomBytesCount);
      head.writeUIntBE(now().getTime(), 0, timeBytes);
      randomBytes(randomBytesCount).copy(head, timeBytes);
      return Buffer.concat([head, mac(machineId, head)]).toString('base64url');
    },

    /** False when the nonce is too old, made for another machine, or not ours. */
    checkNonce(machineId: string, nonce: string): boolean {
      const bytes = Buffer.from(nonce, 'base64url');
      const head = bytes.subarray(0, timeBytes + randomBytesCount);
      const ours =
        bytes.length === timeBytes + randomBytesCount + macBytes &&
        timingSafeEqual(bytes.subarray(-macBytes), mac(machineId, head));
      const ageMs = ours ? now().getTime() - head.readUIntBE(0, timeBytes) : Infinity;
      // Another server's clock may be a little ahead.
      return Math.abs(ageMs) <= lifetimeMs;
    },
  };
}
