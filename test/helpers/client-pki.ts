// The decorators of @peculiar/x509 need the metadata API first.
import 'reflect-metadata';
import {randomBytes, webcrypto} from 'node:crypto';
import {
  BasicConstraintsExtension,
  type JsonName,
  PemConverter,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';

const algorithm = {name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256'} as const;
const dayMs = 86_400_000;

/** Both PEM. */
export type Issued = {readonly certificate: string; readonly key: string};

/** A CA that signs whatever it is asked for. `subject` is a list of attributes, so that a value may hold anything. */
export async function createClientPki(name: string) {
  const caKeys = await makeKeys();
  const validity = {
    notBefore: new Date(Date.now() - dayMs),
    notAfter: new Date(Date.now() + dayMs),
    signingAlgorithm: algorithm,
  };
  const ca = await X509CertificateGenerator.createSelfSigned({
    ...validity,
    serialNumber: '01',
    name: `CN=${name}`,
    keys: caKeys,
    extensions: [new BasicConstraintsExtension(true, 0, true)],
  });
  return {
    ca: ca.toString('pem'),
    async issue(subject: JsonName, {expired = false} = {}): Promise<Issued> {
      const keys = await makeKeys();
      const certificate = await X509CertificateGenerator.create({
        ...validity,
        ...(expired ? {notAfter: new Date(Date.now() - 1000)} : {}),
        serialNumber: randomBytes(8).toString('hex'),
        subject,
        issuer: ca.subject,
        publicKey: keys.publicKey,
        signingKey: caKeys.privateKey,
        extensions: [
          new BasicConstraintsExtension(false),
          new SubjectAlternativeNameExtension([{type: 'ip', value: '127.0.0.1'}]),
        ],
      });
      const exported = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
      return {
        certificate: certificate.toString('pem'),
        key: PemConverter.encode(exported, 'PRIVATE KEY'),
      };
    },
  };
}

const makeKeys = () => webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
