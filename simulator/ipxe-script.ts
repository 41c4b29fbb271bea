/** A command that failed: iPXE goes on after `||`, else the script ends with this. */
export class IpxeError extends Error {
  override readonly name = 'IpxeError';
}

export type IpxeHost = {
  /** The text behind a path; throws IpxeError when it cannot be had. */
  fetchScript(path: string): Promise<string>;
  /** Kernel, initrd or token: whatever is loaded before `boot`. */
  fetchImage(path: string): Promise<void>;
  /** Throws when the machine is turned off. */
  sleep(seconds: number): Promise<void>;
};

/** How a script left iPXE. */
export type IpxeEnd = 'boot' | 'exit';

type Next = IpxeEnd | 'end' | {readonly goto: string} | {readonly replace: string} | undefined;

/** A script that goes round without ever sleeping is a fault of the edge. */
const commandsWithoutSleepMax = 2000;
const chainDepthMax = 8;

/** Runs a script as iPXE does, with the commands that the edge's scripts use (ipxe/script.ts). Others fail, as they would in a build without them. */
export async function runIpxe(
  script: string,
  settings: Map<string, string>,
  host: IpxeHost,
): Promise<IpxeEnd> {
  return createInterpreter(settings, host)(script, 0);
}

function createInterpreter(settings: Map<string, string>, host: IpxeHost) {
  let commands = 0;

  async function runText(text: string, depth: number): Promise<IpxeEnd> {
    if (depth > chainDepthMax) throw new IpxeError('Too many scripts call each other');
    if (!text.startsWith('#!ipxe')) throw new IpxeError('Exec format error');
    const lines = text.split('\n').map(line => line.trim());
    for (let at = 0; at < lines.length; at++) {
      const next = await runLine(lines[at] ?? '', depth);
      if (next === undefined) continue;
      if (next === 'end') return 'exit';
      if (typeof next === 'string') return next;
      if ('replace' in next) return runText(next.replace, depth);
      at = lines.indexOf(`:${next.goto}`);
      if (at < 0) throw new IpxeError(`No label "${next.goto}"`);
    }
    return 'exit';
  }

  /** Commands joined by `||` and `&&`, each only when the one before failed or succeeded. */
  async function runLine(line: string, depth: number): Promise<Next> {
    if (line === '' || line.startsWith('#') || line.startsWith(':')) return undefined;
    const parts = line.split(/\s*(\|\||&&)(?:\s+|$)/);
    let failure: unknown;
    for (let at = 0; at < parts.length; at += 2) {
      const operator = parts[at - 1];
      if (operator === '||' && failure === undefined) continue;
      if (operator === '&&' && failure !== undefined) continue;
      failure = undefined;
      try {
        const next = await runCommand(parts[at] ?? '', depth);
        if (next !== undefined) return next;
      } catch (error) {
        if (!(error instanceof IpxeError)) throw error;
        // One word, as iPXE's numbers are.
        settings.set('errno', error.message.replaceAll(/[^\w.-]+/g, '_'));
        failure = error;
      }
    }
    if (failure !== undefined) throw failure;
    return undefined;
  }

  async function runCommand(text: string, depth: number): Promise<Next> {
    if (++commands > commandsWithoutSleepMax)
      throw new Error(`${commandsWithoutSleepMax} commands without a sleep: the script never ends`);
    const [command = '', ...words] = expand(text, settings).trim().split(/\s+/);
    const plain = words.filter(word => !word.startsWith('--'));
    switch (command) {
      case '':
      case 'echo':
      case 'imgfree':
      case 'ifclose':
      case 'ifconf':
        return undefined;
      case 'set':
        settings.set((plain[0] ?? '').replace(/:\w+$/, ''), plain.slice(1).join(' '));
        return undefined;
      case 'isset':
        return check(plain.length > 0);
      case 'iseq':
        return check(plain[0] === plain[1]);
      case 'inc': {
        const [name = '', by = '1'] = plain;
        settings.set(name, String(Number(settings.get(name) ?? 0) + Number(by)));
        return undefined;
      }
      case 'goto':
        return {goto: plain[0] ?? ''};
      case 'sleep':
        commands = 0;
        await host.sleep(Number(plain[0] ?? 0));
        return undefined;
      case 'kernel':
        await host.fetchImage(plain[0] ?? '');
        return undefined;
      case 'initrd':
        // `--name NAME URL`: the option's value stands before the address.
        await host.fetchImage(plain.at(-1) ?? '');
        return undefined;
      case 'chain': {
        const script = await host.fetchScript(plain[0] ?? '');
        if (words.includes('--replace')) return {replace: script};
        await runText(script, depth + 1);
        return undefined;
      }
      case 'boot':
        return 'boot';
      case 'exit':
        return 'end';
      default:
        throw new IpxeError(`${command}: command not found`);
    }
  }

  return runText;
}

function check(holds: boolean): undefined {
  if (!holds) throw new IpxeError('Error');
  return undefined;
}

/** Innermost first: `${net${index}/mac}`. What is not set is empty. */
function expand(text: string, settings: ReadonlyMap<string, string>): string {
  const innermost = /\$\{([^${}]*)\}/;
  let expanded = text;
  while (innermost.test(expanded))
    expanded = expanded.replace(innermost, (_, name: string) => valueOf(name, settings));
  return expanded;
}

/** In the form that follows the colon. */
function valueOf(text: string, settings: ReadonlyMap<string, string>): string {
  const [name = '', form] = text.split(':');
  const value = settings.get(name) ?? '';
  if (form === 'hexhyp') return value.replaceAll(':', '-');
  if (form === 'hexraw')
    return name.endsWith('busid') ? value : Buffer.from(value, 'utf8').toString('hex');
  return value;
}
