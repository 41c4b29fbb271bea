import {readFileSync} from 'node:fs';

/** One setting: its environment name, what it is for, and how its text becomes a value. */
export type Setting<T> = {
  readonly env: string;
  readonly describe: string;
  readonly parse: (text: string) => T;
  /** Text form; absent: the setting is required. */
  readonly default?: string;
  /** May also be given as `<NAME>_FILE`, and is never printed. */
  readonly secret?: boolean;
};

export type Settings = Readonly<Record<string, Setting<unknown>>>;

export type Values<T extends Settings> = {
  readonly [K in keyof T]: T[K] extends Setting<infer V> ? V : never;
};

/**
 * Reads every setting once: the environment wins over the file named by MUSTER_CONFIG (lines of NAME=value), which wins
 * over the default. All problems are reported in one error.
 */
export function loadSettings<T extends Settings>(
  table: T,
  env: Readonly<Record<string, string | undefined>>,
): Values<T> {
  const problems: string[] = [];
  const file = readSettingsFile(env.MUSTER_CONFIG, problems);
  const lookUp = (name: string) => env[name] ?? file.get(name);

  const values: Record<string, unknown> = {};
  for (const [key, setting] of Object.entries(table)) {
    try {
      const text = textOf(setting, lookUp) ?? setting.default;
      if (text === undefined) problems.push(`${setting.env} is required: ${setting.describe}`);
      else values[key] = setting.parse(text);
    } catch (error) {
      problems.push(`${setting.env}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  if (problems.length > 0) throw new Error(`Cannot start:\n  ${problems.join('\n  ')}`);
  return values as Values<T>;
}

/** For the log at start: every value but the secrets. */
export function describeSettings<T extends Settings>(table: T, values: Values<T>): object {
  return Object.fromEntries(
    Object.entries(table).map(([key, setting]) => [
      setting.env,
      setting.secret ? '[secret]' : values[key],
    ]),
  );
}

function textOf(
  setting: Setting<unknown>,
  lookUp: (name: string) => string | undefined,
): string | undefined {
  const path = setting.secret ? lookUp(`${setting.env}_FILE`) : undefined;
  return path ? readFileSync(path, 'utf8').trim() : lookUp(setting.env);
}

function readSettingsFile(path: string | undefined, problems: string[]): Map<string, string> {
  const found = new Map<string, string>();
  if (!path) return found;

  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    problems.push(`MUSTER_CONFIG: cannot read "${path}": ${String(error)}`);
    return found;
  }
  for (const [index, line] of text.split('\n').entries()) {
    const trimmed = line.trim();
    if (trimmed === '' || trimmed.startsWith('#')) continue;
    const cut = trimmed.indexOf('=');
    if (cut < 1) problems.push(`${path}:${index + 1}: expected NAME=value`);
    else found.set(trimmed.slice(0, cut).trim(), trimmed.slice(cut + 1).trim());
  }
  return found;
}

export const text = (value: string): string => value;

export const list = (value: string): readonly string[] =>
  value
    .split(',')
    .map(item => item.trim())
    .filter(item => item !== '');

export const oneOf =
  <const T extends string>(...allowed: readonly T[]) =>
  (value: string): T => {
    const found = allowed.find(item => item === value);
    if (!found) throw new Error(`"${value}" is not one of ${allowed.join(', ')}`);
    return found;
  };

export const integer =
  (minimum: number, maximum: number) =>
  (value: string): number => {
    const number = Number(value);
    if (!Number.isInteger(number) || value.trim() === '' || number < minimum || number > maximum)
      throw new Error(`"${value}" is not a whole number from ${minimum} to ${maximum}`);
    return number;
  };

export const port = integer(0, 65_535);

export const boolean = (value: string): boolean => oneOf('true', 'false')(value) === 'true';
