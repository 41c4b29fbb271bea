import {randomUUID} from 'node:crypto';
import {once} from 'node:events';
import {mkdir, readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {createClient as createTftpClient} from 'tftp';
import {createProcess, type ManagedProcess} from './processes.ts';
import type {Muster} from './muster.ts';

export type ProcessMachine = {
  readonly mac: string;
  readonly uuid: string;
  readonly serial: string;
  readonly agent: ManagedProcess;
  /** Like firmware and iPXE: boot loader by TFTP, bootstrap, script, kernel, initrds; then the real agent as this host's process. */
  boot(): Promise<{readonly script: string}>;
  /** One hop only, for tests that break something in between. */
  fetchLoader(): Promise<Buffer>;
  fetchScript(): Promise<string>;
  /** Fetches what the script names and starts the agent with the boot.json that it got. */
  runScript(script: string): Promise<void>;
  log(): Promise<string>;
};

/** How images start the agent. */
export async function readAgentStart() {
  const unit = await readFile('builder/backends/debian/files/muster-agent.service', 'utf8');
  const flags = /^ExecStart=\S+\/node (.*) \S+\/agent\.cjs$/m.exec(unit)?.[1]?.split(' ');
  const settings = /^Environment=(.*)$/m.exec(unit)?.[1]?.split(' ');
  if (!flags || !settings) throw new Error('muster-agent.service does not say how to start it');
  const pairs = settings.map(setting => setting.split('='));
  return {flags, settings: Object.fromEntries(pairs) as Record<string, string>};
}

/** A machine without hardware: a real TFTP client, a real HTTP client and the real agent (`npm run bundle` first). */
export async function createProcessMachine(
  muster: Muster,
  name: string,
  identity: {mac: string; uuid?: string; serial: string},
): Promise<ProcessMachine> {
  const {mac, serial, uuid = randomUUID()} = identity;
  const folder = join(muster.folder, `machine-${name}`);
  await mkdir(folder, {recursive: true});
  const bootFile = join(folder, 'boot.json');
  const imageFile = join(folder, 'image.json');
  const evidenceFile = join(folder, 'evidence.json');
  const logFile = join(muster.folder, 'log', `machine-${name}.log`);
  await writeFile(
    evidenceFile,
    JSON.stringify({
      uuid,
      systemSerial: serial,
      macAddresses: [mac],
      bootMacAddress: mac,
      manufacturer: 'Test',
      product: 'Process',
      firmwareMode: 'uefi',
    }),
  );
  const imageStart = await readAgentStart();
  const agent = createProcess(
    `agent-${name}`,
    {
      command: ['node_modules/.bin/node', ...imageStart.flags, 'dist/agent.cjs'],
      env: {
        ...imageStart.settings,
        MUSTER_BOOT_FILE: bootFile,
        MUSTER_IMAGE_FILE: imageFile,
        EVIDENCE_FILE: evidenceFile,
        MUSTER_HOST_ACTIONS: 'log',
        METRICS_INTERVAL_SECONDS: '1',
      },
    },
    logFile,
  );

  muster.defer(() => agent.stop());

  const settings: Readonly<Record<string, string>> = {
    'mac:hexhyp': mac.replaceAll(':', '-'),
    'netX/mac:hexhyp': mac.replaceAll(':', '-'),
    'netX/busid:hexraw': '011af41000',
    uuid,
    'serial:hexraw': Buffer.from(serial).toString('hex'),
    'net0/busid:hexraw': '011af41000',
    platform: 'efi',
    buildarch: 'x86_64',
  };
  const fill = (text: string) =>
    text.replaceAll(/\$\{([^}]+)\}/g, (_, key: string) => settings[key] ?? '');
  const get = async (path: string) => {
    const response = await fetch(new URL(fill(path), muster.edgeUrl));
    if (!response.ok) throw new Error(`GET ${path}: ${response.status}`);
    return response;
  };

  const machine: ProcessMachine = {
    mac,
    uuid,
    serial,
    agent,
    fetchLoader: () => fetchByTftp(muster.tftpPort, 'snponly.efi'),
    async fetchScript() {
      await (await get('/boot.ipxe')).text();
      const query =
        'mac=${mac:hexhyp}&uuid=${uuid}&serial=${serial:hexraw}&busid=${net0/busid:hexraw}&platform=${platform}&buildarch=${buildarch}';
      return (await get(`/boot.ipxe?${query}`)).text();
    },
    async runScript(script) {
      const lines = script.split('\n').map(line => line.trim());
      const urls = lines
        .map(line => /^(?:kernel|initrd(?: --name \S+)?) (\S+)/.exec(line)?.[1])
        .filter(url => url !== undefined);
      const image = lines.map(line => /[?&]image=([0-9a-f]{64})/.exec(line)?.[1]).find(Boolean);
      const token = urls.find(url => url.includes('/boot/token.cpio'));
      if (!token || !image) throw new Error(`No image in this script:\n${script}`);
      for (const url of urls) await (await get(url)).arrayBuffer();

      const bootJson = await get(token.replace('token.cpio', 'token.json'));
      await writeFile(bootFile, await bootJson.text(), {mode: 0o600});
      await agent.stop('SIGKILL');
      await writeFile(imageFile, JSON.stringify(await imageFacts(image)));
      agent.start();
    },
    async boot() {
      await machine.fetchLoader();
      const script = await machine.fetchScript();
      await machine.runScript(script);
      return {script};
    },
    log: async () => readFile(logFile, 'utf8').catch(() => ''),
  };

  // What /etc/muster/image.json says inside the image that the script boots.
  async function imageFacts(id: string) {
    const {ImageService} = await import('@muster/proto/gen/muster/v1/images_pb.ts');
    const {image} = await muster.client(ImageService).getImage({id});
    return {input_key: image?.inputKey, kind: 'registration', backend: image?.backend};
  }

  return machine;
}

async function fetchByTftp(port: number, name: string): Promise<Buffer> {
  const stream = createTftpClient({host: '127.0.0.1', port}).createGetStream(name);
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(stream, 'end');
  return Buffer.concat(chunks);
}
