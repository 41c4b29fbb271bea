// Writes docs/configuration.md from the settings tables of all processes; test/configuration.test.ts compares the two.
import {existsSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import process from 'node:process';
import type {Setting, Settings} from '@muster/runtime/config.ts';

const root = dirname(import.meta.dirname);

/** Where docs/configuration.md lies. */
export const configurationFile = join(root, 'docs', 'configuration.md');

const processes = [
  {folder: 'server', about: 'The contract, the rules, the journal and the image store.'},
  {folder: 'ipxe', about: 'The edge: boot scripts, artifacts and boot loaders for machines.'},
  {folder: 'builder', about: 'Builds and boot-tests images.'},
  {
    folder: 'agent',
    about:
      'On the machine. An image sets none of these; they are for tests and for agents started by hand.',
  },
  {folder: 'cli', about: 'The `muster` command, `up` and `lab`.'},
] as const;

const introduction = `# Configuration

Each process reads its settings once, when it starts: from its environment, else from the file that \`MUSTER_CONFIG\` names (lines of
\`NAME=value\`; \`#\` begins a comment), else the default. All problems are reported together. Secrets may be given as \`NAME_FILE\`, the path
of a file that holds the value; they are never printed.

\`npm run up\` hands its own environment to every process that it starts, and sets what makes them one system (addresses, folders below
\`MUSTER_DATA_DIR\`, join codes). So \`ACCEPTANCE_POLICY=approve npm run up\` is all it takes to change a default.

A second instance on the same host needs another \`MUSTER_DATA_DIR\` and other ports (\`SERVER_PORT\`, \`NATS_PORT\`, \`EDGE_HTTP_PORT\`,
\`TFTP_PORT\`, and the builder's).

This page is written by \`node scripts/configuration.ts\` from the tables in \`<process>/config.ts\`.
`;

/** The whole page, from the tables that the processes themselves read. */
export async function renderConfiguration(): Promise<string> {
  const sections: string[] = [];
  for (const {folder, about} of processes) {
    const table = await settingsOf(folder);
    if (table) sections.push(`\n## ${folder}\n\n${about}\n\n${renderTable(table)}\n`);
  }
  return `${introduction}${sections.join('')}`;
}

/** The export of `<folder>/config.ts` that is a table of settings: "settings", "edgeSettings". */
async function settingsOf(folder: string): Promise<Settings | undefined> {
  const file = join(root, folder, 'config.ts');
  if (!existsSync(file)) return undefined;
  const module = (await import(file)) as Readonly<Record<string, unknown>>;
  const name = Object.keys(module).find(key => /settings$/i.test(key));
  if (!name) throw new Error(`"${file}" exports no table of settings`);
  return module[name] as Settings;
}

function renderTable(settings: Settings): string {
  const rows = Object.values(settings)
    .toSorted((a, b) => (a.env < b.env ? -1 : 1))
    .map(setting => `| \`${setting.env}\` | ${describeDefault(setting)} | ${describe(setting)} |`);
  return ['| name | default | meaning |', '|---|---|---|', ...rows].join('\n');
}

function describe({describe, secret}: Setting<unknown>): string {
  const sentence = `${describe.charAt(0).toUpperCase()}${describe.slice(1)}`.replaceAll('|', '\\|');
  return secret ? `${sentence}. Secret` : sentence;
}

/** Paths of this checkout and of its Node are named, not shown: the page is the same everywhere. */
function describeDefault({default: value}: Setting<unknown>): string {
  if (value === undefined) return 'required';
  if (value === '') return 'empty';
  if (value === process.execPath) return 'the Node that runs it';
  return `\`${value.replace(root, '<checkout>')}\``;
}

if (process.argv[1] === import.meta.filename)
  writeFileSync(configurationFile, await renderConfiguration());
