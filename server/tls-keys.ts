import {readFile} from 'node:fs/promises';
import type {TlsKeys} from '@muster/runtime/rpc-server.ts';
import type {Config} from './config.ts';

/** Undefined when no certificate is set. Read once: a renewed certificate needs a restart. */
export async function loadTlsKeys({
  tlsCertificateFile,
  tlsKeyFile,
  tlsClientCaFile,
}: Pick<Config, 'tlsCertificateFile' | 'tlsKeyFile' | 'tlsClientCaFile'>): Promise<
  TlsKeys | undefined
> {
  if (!tlsCertificateFile && (tlsKeyFile || tlsClientCaFile))
    throw new Error('Cannot serve TLS: set TLS_CERT_FILE too');
  if (!tlsCertificateFile) return undefined;
  if (!tlsKeyFile) throw new Error('Cannot serve TLS: set TLS_KEY_FILE too');
  const [certificate, privateKey, clientCa] = await Promise.all([
    readFile(tlsCertificateFile, 'utf8'),
    readFile(tlsKeyFile, 'utf8'),
    tlsClientCaFile ? readFile(tlsClientCaFile, 'utf8') : undefined,
  ]);
  return {certificate, privateKey, clientCa};
}
