import {Diagnostic_Kind} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import {ConfigurationError, type DiagnosticInit} from '../configuration-error.ts';
import type {NixMessage} from './internal-json.ts';
import {nameOf} from './progress.ts';
import {lastWords, type NixEnd} from './run-nix.ts';

export type BuildFailureContext = {
  readonly limits: {readonly buildSeconds: number; readonly silenceSeconds: number};
  /** The last lines that the build of a derivation wrote. */
  readonly tailOf: (derivation: string) => readonly string[];
  /** The derivation whose build ended last; empty when none did. */
  readonly lastEnded: () => string;
};

const tailLinesShown = 8;

/** A ConfigurationError with each derivation that failed by itself, or a plain error when Nix could not even begin. */
export function explainBuild(end: NixEnd, context: BuildFailureContext): Error {
  const diagnostics = end.errors.flatMap(error => explainOne(error, context) ?? []);
  if (diagnostics.length > 0) return new ConfigurationError(unique(diagnostics));
  return new Error(`Cannot build with nix: ${lastWords(end)}`);
}

const unique = (diagnostics: readonly DiagnosticInit[]): DiagnosticInit[] => [
  ...new Map(diagnostics.map(diagnostic => [diagnostic.message, diagnostic])).values(),
];

/** Undefined for what only follows from another failure ("1 dependency failed"). */
function explainOne(
  {text}: NixMessage,
  {limits, tailOf, lastEnded}: BuildFailureContext,
): DiagnosticInit | undefined {
  // With the names of its outputs in some messages: "….drv!out", "….drv^out".
  const drv = /'([^']+?\.drv)(?:[!^][^']*)?'/.exec(text)?.[1] ?? lastEnded();
  const name = nameOf(drv);
  const tail = tailOf(drv).slice(-tailLinesShown);
  const output = tail.length === 0 ? '' : `. Its last lines: ${tail.join(' | ')}`;

  const hash = /hash mismatch in fixed-output derivation/.test(text);
  if (hash)
    return {
      kind: Diagnostic_Kind.FETCH,
      message: `"${name}" has another content than its hash says: ${text.replaceAll(/\s+/g, ' ')}`,
    };
  const seconds = Number(/timed out after (\d+) seconds/.exec(text)?.[1] ?? 0);
  if (seconds > 0) {
    const wasSilent = /of silence/.test(text) || isSilenceLimit(seconds, limits);
    return {
      kind: Diagnostic_Kind.TIME_LIMIT,
      message: wasSilent
        ? `"${name}" wrote nothing for ${seconds} s and was ended${output}`
        : `"${name}" took longer than the limit of ${seconds} s and was ended${output}`,
    };
  }
  if (/killed after writing more than/.test(text))
    return {
      kind: Diagnostic_Kind.BUILD,
      message: `"${name}" wrote more to its log than the limit allows and was ended`,
    };
  const code = /failed with exit code (\d+)|failed due to signal (\d+)/.exec(text);
  if (!code && !/builder for '.*' failed|Cannot build '/.test(text)) return undefined;
  if (/dependenc(?:y|ies) (?:of derivation .* )?failed/.test(text) && !code) return undefined;
  const how = code?.[1] ? `exit code ${code[1]}` : code?.[2] ? `signal ${code[2]}` : 'an error';
  return triedToFetch(tail, text)
    ? {
        kind: Diagnostic_Kind.FETCH,
        message: `"${name}" is in no cache of this builder, and a build has no network: add a cache that has it (setting NIX_SUBSTITUTERS)${output}`,
      }
    : {kind: Diagnostic_Kind.BUILD, message: `"${name}" did not build: ${how}${output}`};
}

/** Since 2.3x both limits read the same. */
const isSilenceLimit = (
  seconds: number,
  {buildSeconds, silenceSeconds}: BuildFailureContext['limits'],
): boolean => seconds === silenceSeconds && seconds !== buildSeconds;

const triedToFetch = (tail: readonly string[], text: string): boolean =>
  [...tail, text].some(line =>
    /could(?:n't| not) resolve (?:host|proxy)|unable to download|network is unreachable|temporary failure in name resolution/i.test(
      line,
    ),
  );
