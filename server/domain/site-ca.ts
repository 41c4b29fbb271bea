import 'reflect-metadata';
import {webcrypto} from 'node:crypto';
import {natsServerName} from '@muster/runtime/bus.ts';
import * as x509 from '@peculiar/x509';

const algorithm = {name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256'};

/** From 1970, so that a machine with a dead clock battery accepts them; the end is the last that UTCTime can say (RFC 5280, 4.1.2.5). */
const validity = {notBefore: new Date(0), notAfter: new Date('2049-12-31T23:59:59Z')};

/** All PEM. */
export type SiteCertificates = {
  readonly ca: string;
  readonly caKey: string;
  readonly server: string;
  readonly serverKey: string;
};

/** The site's own CA and the one certificate of every nats-server, whatever its address (docs/bus.md). */
export async function makeSiteCertificates(): Promise<SiteCertificates> {
  const caKeys = await makeKeys();
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: '01',
    name: 'CN=Muster site CA',
    ...validity,
    keys: caKeys,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(caKeys.publicKey),
    ],
  });

  const keys = await makeKeys();
  const server = await x509.X509CertificateGenerator.create({
    serialNumber: '02',
    subject: `CN=${natsServerName}`,
    issuer: ca.subject,
    ...validity,
    publicKey: keys.publicKey,
    signingKey: caKeys.privateKey,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(false),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([
        {type: 'dns', value: natsServerName},
        {type: 'dns', value: 'localhost'},
        {type: 'ip', value: '127.0.0.1'},
      ]),
      await x509.AuthorityKeyIdentifierExtension.create(caKeys.publicKey),
    ],
  });
  return {
    ca: ca.toString('pem'),
    caKey: await pemOf(caKeys.privateKey),
    server: server.toString('pem'),
    serverKey: await pemOf(keys.privateKey),
  };
}

const makeKeys = () => webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);

async function pemOf(key: webcrypto.CryptoKey): Promise<string> {
  return x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY');
}
