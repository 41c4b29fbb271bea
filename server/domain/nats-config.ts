import type {NatsKeys} from './nats-keys.ts';
import {storageBytesMax} from './nats-limits.ts';

export type NatsConfigOptions = {
  /** host:port that nats-server listens on. */
  readonly listen: string;
  /** Where nats-server keeps accounts and streams. */
  readonly dataFolder: string;
  /** Where nats.conf finds the certificate and its key. */
  readonly certificateFile: string;
  readonly privateKeyFile: string;
};

/**
 * nats.conf for one nats-server: TLS, operator mode, accounts in a folder (resolver `full`). The MUSTER account is not preloaded: a stale
 * one would forget revocations; the server pushes the current one whenever it connects.
 */
export function natsConfig(keys: NatsKeys, options: NatsConfigOptions): string {
  const {listen, dataFolder, certificateFile, privateKeyFile} = options;
  const system = keys.system.getPublicKey();
  return `# Written by Muster. Holds no secret; the key beside it does.
server_name: muster
listen: ${quoted(listen)}
max_payload: 1MB
max_connections: 60000
write_deadline: "10s"

tls {
  cert_file: ${quoted(certificateFile)}
  key_file: ${quoted(privateKeyFile)}
  timeout: 5
}

operator: ${keys.operatorJwt}
system_account: ${system}
resolver {
  type: full
  dir: ${quoted(`${dataFolder}/accounts`)}
  allow_delete: false
  interval: "2m"
  limit: 1000
}
resolver_preload {
  ${system}: ${keys.systemJwt}
}

jetstream {
  store_dir: ${quoted(`${dataFolder}/jetstream`)}
  max_memory_store: ${storageBytesMax.memory}
  max_file_store: ${storageBytesMax.disk}
}
`;
}

/** nats.conf has no escapes inside a path that we would need: refuse what would end the string. */
function quoted(text: string): string {
  if (/["\\\n]/.test(text)) throw new Error(`Cannot write "${text}" into nats.conf`);
  return `"${text}"`;
}
