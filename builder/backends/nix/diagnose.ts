import {Diagnostic_Kind} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import type {DiagnosticInit} from '../configuration-error.ts';
import {errorPatterns} from './error-patterns.ts';
import type {NixMessage} from './internal-json.ts';
import {findDefinition, type Position} from './locate-option.ts';

export type JobSources = {
  /** What people wrote, by file name in the job: "operator.nix", "templates/NAME.nix". */
  readonly sources: ReadonlyMap<string, string>;
  /** Store paths of others, where files may have the same names. */
  readonly foreign: readonly string[];
};

type Place = Position & {readonly file: string};

const operatorFile = 'operator.nix';

/** Turns Nix's last error into words for the one who wrote the configuration, with the place where it can be known. */
export function diagnose(error: NixMessage, job: JobSources): DiagnosticInit {
  const text = error.text.trim();
  const found = firstMatch(text) ?? {
    // A `throw` has no form of its own; what Nix itself complains about has a place.
    kind: error.file === '' ? Diagnostic_Kind.THROWN : Diagnostic_Kind.OTHER,
    message: text,
    option: undefined,
  };
  const place =
    (found.option === undefined ? undefined : placeOfOption(text, found.option, job)) ??
    placeOfError(error, job);
  return {
    kind: found.kind,
    message: withoutStorePaths(found.message, job),
    ...(place && {source: sourceOf(place.file), line: place.line, column: place.column}),
  };
}

function firstMatch(text: string) {
  for (const {pattern, kind, message, option} of errorPatterns) {
    const match = pattern.exec(text);
    if (match) return {kind, message: message(match, text), option: option?.(match)};
  }
  return undefined;
}

/** "" is the machine's own module. */
const sourceOf = (file: string): string =>
  file === operatorFile ? '' : file.replace(/\.nix$/, '');

const jobFile = /[^\s'"`«»]*source»?\/(operator\.nix|templates\/[a-z0-9-]+\.nix)/g;
const inTemplate = /[`'](templates\/[a-z0-9-]+)'/g;

/** A definition in the machine's own module before one in a template: it is the one that its author can change. */
function placeOfOption(text: string, option: string, job: JobSources): Place | undefined {
  const named = [
    ...[...text.matchAll(jobFile)]
      .filter(([path]) => !isForeign(path, job))
      .map(match => match[1] ?? ''),
    ...[...text.matchAll(inTemplate)].map(match => `${match[1]}.nix`),
  ].filter(file => job.sources.has(file));
  const files = named.length > 0 ? named : [...job.sources.keys()];
  files.sort((a, b) => Number(b === operatorFile) - Number(a === operatorFile));
  for (const file of files) {
    const position = findDefinition(job.sources.get(file) ?? '', option);
    if (position) return {file, ...position};
  }
  const [only] = named;
  return only === undefined ? undefined : {file: only, line: 0, column: 0};
}

/** The error's own place, else the innermost frame of its trace that lies in what people wrote. */
function placeOfError(error: NixMessage, job: JobSources): Place | undefined {
  const own = placeIn(`${error.file}:${error.line}:${error.column}`, job).at(0);
  if (own) return own;
  const inText = placeIn(error.text, job).at(0);
  if (inText) return inText;
  // Until 2.14 the message comes first and the innermost frame after it; since then the trace ends with the message.
  const isInnermostFirst = error.full.trimStart().startsWith(error.text.trim().slice(0, 40));
  const innermostFirst = <T>(frames: T[]): T[] => (isInnermostFirst ? frames : frames.toReversed());
  return (
    innermostFirst(placeIn(error.full, job)).at(0) ??
    placeOfEvaluatedOption(innermostFirst(optionsIn(error.full)), job)
  );
}

const evaluatedOption = /while evaluating the option [`']([^']+)'/g;

const optionsIn = (trace: string): string[] =>
  [...trace.matchAll(evaluatedOption)].map(([, option = '']) => option);

/** Values are computed when somebody needs them: then the trace names no line of the module, but the options that it went through. */
function placeOfEvaluatedOption(options: readonly string[], job: JobSources): Place | undefined {
  for (const option of options)
    for (const [file, text] of job.sources) {
      const position = findDefinition(text, option, {exactly: true});
      if (position) return {file, ...position};
    }
  return undefined;
}

function placeIn(text: string, job: JobSources): Place[] {
  const withPosition = new RegExp(`${jobFile.source}:(\\d+):(\\d+)`, 'g');
  return [...text.matchAll(withPosition)]
    .filter(([path]) => !isForeign(path, job))
    .flatMap(([, file = '', line, column]) => {
      const source = job.sources.get(file);
      if (source === undefined) return [];
      return [{file, line: Number(line), column: unitColumn(source, Number(line), Number(column))}];
    });
}

const isForeign = (path: string, {foreign}: JobSources): boolean =>
  foreign.some(prefix => path.includes(prefix));

/** Nix counts bytes, editors count UTF-16 units. */
function unitColumn(source: string, line: number, byteColumn: number): number {
  const bytes = Buffer.from(source.split('\n')[line - 1] ?? '');
  return bytes.subarray(0, byteColumn - 1).toString('utf8').length + 1;
}

/** Paths of the store say nothing to people. */
const withoutStorePaths = (text: string, job: JobSources): string =>
  text
    .replace(
      /[`']?([^\s'"`«»]*source»?)\/(operator\.nix|templates\/[a-z0-9-]+\.nix)'?/g,
      (whole, path: string, file: string) =>
        isForeign(path, job)
          ? whole
          : file === operatorFile
            ? 'your module'
            : `"${sourceOf(file)}"`,
    )
    .replace(inTemplate, '"$1"')
    .replace(/[^\s'"`«»]*\/[0-9a-z]{32}-source\//g, '');
