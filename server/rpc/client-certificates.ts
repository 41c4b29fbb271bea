import type {X509Certificate} from 'node:crypto';

export type ClientCertificate = {
  /** Its attributes from first to last, each value escaped as RFC 2253 says: "O=Example,CN=alice". */
  readonly subject: string;
  /** Why it does not count; undefined when it does. */
  readonly problem: string | undefined;
};

/** What of a socket of node:net or node:tls is looked at. */
export type PeerSocket = {
  readonly remoteAddress?: string | undefined;
  readonly authorized?: boolean;
  readonly authorizationError?: Error | string | null;
  readonly getPeerX509Certificate?: () => X509Certificate | undefined;
};

/** What the other end has shown in its TLS handshake; undefined without TLS and without a certificate. */
export function clientCertificateOf(socket: PeerSocket): ClientCertificate | undefined {
  const certificate = socket.getPeerX509Certificate?.();
  if (!certificate) return undefined;
  const subject = certificate.subject.replaceAll('\n', ',');
  // Node compares with the CA once in the handshake; a connection may live longer than the certificate.
  const expired = certificate.validToDate.getTime() <= Date.now();
  const problem = !socket.authorized
    ? `it is not of a CA in TLS_CLIENT_CA_FILE (${String(socket.authorizationError)})`
    : expired
      ? 'it has expired'
      : undefined;
  return {subject, problem};
}
