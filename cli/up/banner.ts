import {networkInterfaces} from 'node:os';
import {styleText} from 'node:util';
import type {Config} from '../config.ts';

/** IPv4 addresses at which others reach this host; its own bridges and the lab's veth are among them. */
export const hostAddresses = (): readonly string[] =>
  Object.values(networkInterfaces())
    .flatMap(addresses => addresses ?? [])
    .filter(({family, internal}) => family === 'IPv4' && !internal)
    .map(({address}) => address);

/** What a person wants to know once everything runs. */
export function renderBanner({
  config,
  addresses,
  hasConsole,
  setupPath,
  coloured,
}: {
  config: Pick<Config, 'serverPort' | 'edgePort' | 'tftpPort' | 'dataFolder'>;
  addresses: readonly string[];
  /** Whether the server has one to show. */
  hasConsole: boolean;
  /** Of the one-time link, while there is no administrator. */
  setupPath: string | undefined;
  coloured: boolean;
}): string {
  const strong = (text: string) =>
    coloured ? styleText('bold', text, {validateStream: false}) : text;
  const reachable = addresses.length > 0 ? addresses : ['127.0.0.1'];
  const urls = (port: number, path: string) =>
    reachable.map(address => `http://${address}:${port}${path}`).join('   ');

  const setup = setupPath
    ? [
        '',
        '  The first administrator is made by this link. It works once, for 24 hours:',
        `    ${strong(`http://${reachable[0]}:${config.serverPort}${setupPath}`)}`,
      ]
    : [];
  return [
    '',
    strong('Muster is ready'),
    '',
    ...(hasConsole ? [`  console  ${strong(urls(config.serverPort, '/'))}`] : []),
    `  server   ${urls(config.serverPort, '')}`,
    `  edge     ${urls(config.edgePort, '/boot.ipxe')}   TFTP port ${config.tftpPort}`,
    `  data     ${config.dataFolder}   logs in ${config.dataFolder}/log`,
    ...setup,
    '',
    '  Next, in a second terminal:',
    '    npm run lab                  four virtual machines, from first power-on to ACTIVE',
    '    npx muster machines watch    what becomes of machines',
    '    deploy/dhcp/README.md        how your own DHCP server sends real machines here',
    '',
    '  Ctrl-C stops everything in order. The data stays.',
    '',
  ].join('\n');
}
