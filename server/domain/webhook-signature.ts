import {createHmac, randomBytes} from 'node:crypto';

/** Of the specification that is followed (Standard Webhooks). */
const secretPrefix = 'whsec_';
const secretBytes = 32;

export const makeSigningSecret = (): string =>
  `${secretPrefix}${randomBytes(secretBytes).toString('base64')}`;

/**
 * The three headers by which a receiver knows that a body is ours and new: HMAC-SHA-256 over "<id>.<seconds>.<body>", one signature for each
 * secret that is valid now.
 */
export function signatureHeaders({
  id,
  time,
  body,
  secrets,
}: {
  readonly id: string;
  readonly time: Date;
  readonly body: string;
  readonly secrets: readonly string[];
}): Readonly<Record<string, string>> {
  const seconds = String(Math.floor(time.getTime() / 1000));
  const signatures = secrets.map(secret => {
    const key = Buffer.from(secret.slice(secretPrefix.length), 'base64');
    return `v1,${createHmac('sha256', key).update(`${id}.${seconds}.${body}`).digest('base64')}`;
  });
  return {
    'webhook-id': id,
    'webhook-timestamp': seconds,
    'webhook-signature': signatures.join(' '),
  };
}
