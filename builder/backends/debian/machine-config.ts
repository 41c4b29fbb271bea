import type {ImageConfig} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {findPrivateKey} from '../../private-keys.ts';

/** What a machine shall run, checked and in one form: equal configurations give equal input keys. */
export type MachineConfig = {
  readonly hostName: string;
  /** Sorted, each once. */
  readonly packages: readonly string[];
  readonly sshAuthorizedKeys: readonly string[];
  /** Sorted by path. */
  readonly files: readonly MachineFile[];
  readonly kernelArguments: readonly string[];
};

export type MachineFile = {
  /** Absolute, without links of a merged /usr ("/bin" is "/usr/bin"). */
  readonly path: string;
  readonly content: string;
  readonly mode: number;
};

const filesBytesMax = 8 * 1024 * 1024;
const pathLengthMax = 1024;
const defaultMode = 0o644;

/** Throws one error with everything that is wrong. */
export function parseMachineConfig(config: ImageConfig): MachineConfig {
  const problems: string[] = [];
  const files = config.files.flatMap(file => {
    const problem = findFileProblem(file);
    if (problem) problems.push(problem);
    const mode = file.mode === '' ? defaultMode : Number.parseInt(file.mode, 8);
    return problem ? [] : [{path: mergedPath(file.path), content: file.content, mode}];
  });
  files.sort((a, b) => (a.path < b.path ? -1 : 1));
  problems.push(...findFileConflicts(files));

  for (const argument of config.kernelArguments) {
    const reserved = reservedArguments.find(prefix => argument.startsWith(prefix));
    if (reserved) problems.push(`kernel argument "${argument}": "${reserved}…" is set by Muster`);
  }
  for (const key of config.sshAuthorizedKeys)
    if (findPrivateKey(key)) problems.push('an SSH key is a private one: give the public key');
  const bytes = files.reduce((sum, {content}) => sum + Buffer.byteLength(content), 0);
  if (bytes > filesBytesMax)
    problems.push(`the files have ${bytes} bytes together, at most ${filesBytesMax} are possible`);

  if (problems.length > 0)
    throw new Error(
      `Cannot build this configuration: ${problems.slice(0, problemsMax).join('; ')}`,
    );
  return {
    hostName: config.hostName,
    packages: [...new Set(config.packages)].sort(),
    sshAuthorizedKeys: [...new Set(config.sshAuthorizedKeys.map(key => key.trim()))],
    files,
    kernelArguments: [...config.kernelArguments],
  };
}

const problemsMax = 20;

/** They decide how and whether the image boots. */
const reservedArguments = ['muster.', 'initrd=', 'init=', 'rdinit=', 'root=', 'panic='];

/** Mounted over at boot, or kept by systemd: a file in an image would never be seen. */
const volatileFolders = ['/dev', '/proc', '/run', '/sys', '/tmp'];
const ownFiles = ['/etc/muster', '/usr/lib/muster', '/usr/bin/node', '/etc/machine-id'];

function findFileProblem(file: {
  readonly path: string;
  readonly content: string;
}): string | undefined {
  const {path, content} = file;
  const parts = path.split('/').slice(1);
  if (path.length > pathLengthMax) return `file "${path.slice(0, 64)}…": the path is too long`;
  if (!path.startsWith('/') || parts.some(part => part === '' || part === '.' || part === '..'))
    return `file "${path}": the path must be absolute and plain, without ".", ".." and empty parts`;
  const place = mergedPath(path);
  const volatile = volatileFolders.find(folder => isInside(place, folder));
  if (volatile) return `file "${path}": "${volatile}" is empty at each boot`;
  if (ownFiles.some(own => isInside(place, own))) return `file "${path}": it belongs to Muster`;
  const secret = findPrivateKey(content);
  if (secret)
    return `file "${path}" looks like it holds ${secret}: images are public, give the machine its secrets after it has booted`;
  return undefined;
}

function findFileConflicts(sorted: readonly MachineFile[]): string[] {
  const paths = new Set<string>();
  const problems: string[] = [];
  for (const {path} of sorted) {
    if (paths.has(path)) problems.push(`file "${path}" is given twice`);
    paths.add(path);
  }
  for (const {path} of sorted) {
    const parts = path.split('/');
    for (let length = parts.length - 1; length > 1; length -= 1) {
      const parent = parts.slice(0, length).join('/');
      if (paths.has(parent)) problems.push(`file "${path}" lies inside the file "${parent}"`);
    }
  }
  return problems;
}

export const isInside = (path: string, folder: string): boolean =>
  path === folder || path.startsWith(`${folder}/`);

/**
 * Debian's /bin, /sbin and /lib* are links into /usr, /var/run and /var/lock into /run: a folder of that name in an upper layer would
 * hide the link and everything behind it.
 */
export function mergedPath(path: string): string {
  if (/^\/(bin|sbin|lib|lib32|lib64|libx32)\//.test(path)) return `/usr${path}`;
  return path.replace(/^\/var\/(run|lock)(?=\/|$)/, (_, name: string) =>
    name === 'run' ? '/run' : '/run/lock',
  );
}
