import {readFileSync} from 'node:fs';

/** A command line of curl as the README of Metal Enrollment prints it. */
export type Example = {
  /** Of its section or list item; with the comment above it where a block holds several. */
  readonly title: string;
  /** Number of its first line. */
  readonly line: number;
  readonly command: string;
};

/**
 * Every curl of every block of the file, in the order in which they are printed. `metal-enrollment.md` is that README, byte for byte (MIT licence):
 * its users have these commands in their scripts.
 */
export function readExamples(): readonly Example[] {
  const text = readFileSync(new URL('metal-enrollment.md', import.meta.url), 'utf8');
  return findExamples(text);
}

export function findExamples(text: string): readonly Example[] {
  const found: Example[] = [];
  let title = '';
  let comment = '';
  let fence: string | undefined;
  let open: {readonly line: number; readonly lines: string[]} | undefined;
  for (const [index, raw] of text.split('\n').entries()) {
    const text = raw.trim();
    if (text.startsWith('```')) {
      if (open) throw new Error(`Line ${index + 1}: the block ends within a command`);
      fence = fence === undefined ? text.slice(3) : undefined;
      comment = '';
    } else if (fence === undefined) {
      title = /^(?:#+ |\d+\. \*\*)(.+?)(?:\*\*:?)?$/.exec(text)?.[1] ?? title;
    } else if (open || isCurl(text)) {
      open ??= {line: index + 1, lines: []};
      open.lines.push(raw);
      const command = open.lines.join('\n');
      if (isUnfinished(command)) continue;
      found.push({title: comment ? `${title}: ${comment}` : title, line: open.line, command});
      open = undefined;
    } else if (text.startsWith('# ')) {
      comment = text.slice(2);
    }
  }
  return found;
}

/** Also as part of another command: `TOKEN=$(curl …)`. */
const isCurl = (line: string): boolean => !line.startsWith('#') && /\bcurl\s/.test(line);

/** The shell would read on. */
const isUnfinished = (command: string): boolean =>
  command.endsWith('\\') || (command.match(/'/g)?.length ?? 0) % 2 === 1;

/** Placeholder → value; what has none stays as it is printed. */
export type Values = {
  readonly serverUrl: string;
  readonly token?: string;
  readonly machineId?: string;
  readonly groupId?: string;
  readonly adminId?: string;
  readonly password?: string;
};

/** The command with nothing changed but host and placeholders. */
export function fillIn(command: string, values: Values): string {
  const {serverUrl, token, machineId, groupId, adminId, password} = values;
  const placeholders: readonly (readonly [text: string, value: string | undefined])[] = [
    ['http://localhost:8080', serverUrl],
    ['<token>', token],
    ['$TOKEN', token],
    ['<admin-id>', adminId],
    ['<machine-id>', machineId],
    ['<group-id>', groupId],
    ['"group-id"', groupId && JSON.stringify(groupId)],
    ['"id1", "id2", "id3"', machineId && JSON.stringify(machineId)],
    ['"your-password"', password && JSON.stringify(password)],
    ['"hardware": { ... }', '"hardware": {"cpu": {"cores": 8}, "disks": ["sda"]}'],
  ];
  return placeholders.reduce(
    (text, [placeholder, value]) =>
      value === undefined ? text : text.replaceAll(placeholder, value),
    command,
  );
}
