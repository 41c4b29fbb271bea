import {join} from 'node:path';
import type {ImageTestCheckJson} from '@muster/proto/gen/muster/v1/image_tests_pb.ts';
import {readFile} from './files.ts';
import {describeError} from './log.ts';

/** Whether it really resolves counts only when a name is given: the network of a test need not have one. */
export async function checkResolver(root: string, name: string): Promise<ImageTestCheckJson> {
  const text = await readFile(join(root, 'etc/resolv.conf'), 'utf8').catch(() => '');
  const servers = [...text.matchAll(/^nameserver\s+(\S+)/gm)].map(([, server]) => server);
  const known =
    servers.length > 0 ? `name servers: ${servers.join(', ')}` : 'no name server is set';
  if (name === '')
    return {name: 'resolve', passed: true, detail: `No name was asked for; ${known}`};
  const {lookup} = await import('node:dns/promises');
  try {
    const {address} = await lookup(name);
    return {name: 'resolve', passed: true, detail: `"${name}" is ${address}`};
  } catch (error) {
    const detail = `Cannot resolve "${name}": ${describeError(error)}; ${known}`;
    return {name: 'resolve', passed: false, detail: detail.slice(0, 4000)};
  }
}
