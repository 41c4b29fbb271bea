import {Diagnostic_Kind} from '@muster/proto/gen/muster/v1/builds_pb.ts';

type ErrorPattern = {
  readonly pattern: RegExp;
  readonly kind: Diagnostic_Kind;
  /** What is wrong and what to do. */
  readonly message: (match: RegExpExecArray, text: string) => string;
  /** The option that it is about, when the place is that of its definition. */
  readonly option?: (match: RegExpExecArray) => string;
};

const firstOf = (match: RegExpExecArray): string => match[1] ?? '';
const asIs = (_: RegExpExecArray, text: string): string => text;

/**
 * Errors of Nix 2.8 to 2.34 and of nixpkgs' module system 20.09 to 26.05, by their wording (src/libexpr/eval.cc, lib/modules.nix,
 * lib/options.nix). The first that fits counts.
 */
export const errorPatterns: readonly ErrorPattern[] = [
  {
    pattern: /^syntax error, (.+)/,
    kind: Diagnostic_Kind.SYNTAX,
    message: match => `Syntax error: ${firstOf(match)}`,
  },
  {
    pattern: /^attribute '(.+)' already defined/,
    kind: Diagnostic_Kind.CONFLICT,
    message: match =>
      `"${firstOf(match)}" is defined twice in the same file: remove one of the two`,
  },
  {
    pattern:
      /^(?:duplicate formal function argument|dynamic attributes not allowed|path has a trailing slash|invalid (?:token|integer|float))/,
    kind: Diagnostic_Kind.SYNTAX,
    message: (_, text) => `Syntax error: ${text}`,
  },
  {
    pattern: /^undefined variable '(.+)'/,
    kind: Diagnostic_Kind.UNDEFINED_VARIABLE,
    message: match =>
      `The variable "${firstOf(match)}" is not defined: check its spelling, put text between quotes, or name it in the module's arguments`,
  },
  {
    pattern: /The option [`']([^']+)'(?: defined in .*)? does not exist/,
    kind: Diagnostic_Kind.UNKNOWN_OPTION,
    message: (match, text) =>
      `The option "${firstOf(match)}" does not exist: check its spelling${detailsBehind(text)}`,
    option: firstOf,
  },
  {
    pattern: /A definition for option [`']([^']+)' is not of type [`']([^']+)'/,
    kind: Diagnostic_Kind.TYPE,
    message: (match, text) =>
      `The option "${firstOf(match)}" takes a value of type "${match[2]}"${detailsBehind(text)}`,
    option: firstOf,
  },
  {
    pattern: /The option value [`']([^']+)' in .* is not of type [`']([^']+)'/,
    kind: Diagnostic_Kind.TYPE,
    message: match => `The option "${firstOf(match)}" takes a value of type "${match[2]}"`,
    option: firstOf,
  },
  {
    pattern:
      /The (?:unique )?option [`']([^']+)' (?:has conflicting definition|is defined multiple times|is defined both)/,
    kind: Diagnostic_Kind.CONFLICT,
    message: (match, text) =>
      `The option "${firstOf(match)}" has two different values: keep one, or give one of them priority with lib.mkForce${detailsBehind(text)}`,
    option: firstOf,
  },
  {
    pattern:
      /The option [`']([^']+)' (?:is used but not defined|was accessed but has no value defined)/,
    kind: Diagnostic_Kind.MISSING_ATTRIBUTE,
    message: match => `The option "${firstOf(match)}" has no value: set it`,
    option: firstOf,
  },
  {
    pattern: /The option [`']([^']+)' is read-only, but it'?s set multiple times/,
    kind: Diagnostic_Kind.CONFLICT,
    message: match => `The option "${firstOf(match)}" is read-only: remove its definition`,
    option: firstOf,
  },
  {
    pattern: /^\s*Failed assertions:\s*([\s\S]+)/,
    kind: Diagnostic_Kind.ASSERTION,
    message: match => firstOf(match).trim().replace(/^- /, ''),
  },
  {
    pattern: /^assertion '?([\s\S]*?)'? failed/,
    kind: Diagnostic_Kind.ASSERTION,
    message: match => `The assertion "${firstOf(match)}" does not hold`,
  },
  {
    pattern: /infinite recursion encountered/,
    kind: Diagnostic_Kind.INFINITE_RECURSION,
    message: () =>
      'Infinite recursion: a value needs itself to be computed. An option must not be defined by its own value, nor "imports" by "config"',
  },
  {
    pattern: /stack overflow/,
    kind: Diagnostic_Kind.INFINITE_RECURSION,
    message: () =>
      'A function calls itself without an end (stack overflow): give it a case that ends',
  },
  {
    pattern: /^attribute '(.+)' missing/,
    kind: Diagnostic_Kind.MISSING_ATTRIBUTE,
    message: match =>
      `There is no "${firstOf(match)}" in this set: check the spelling, of package names too`,
  },
  {
    pattern: /called (?:without required|with unexpected) argument '(.+)'/,
    kind: Diagnostic_Kind.MISSING_ATTRIBUTE,
    message: match =>
      `A function is called with other arguments than it takes: "${firstOf(match)}"`,
  },
  {
    pattern: /^access to (?:absolute |canonical )?path '(.+)' is forbidden/,
    kind: Diagnostic_Kind.FILE_ACCESS,
    message: match =>
      `A configuration cannot read "${firstOf(match)}": it sees no files of the builder. Put what it needs into the module`,
  },
  {
    pattern:
      /^(?:getting status of|opening file|opening directory|reading (?:file|directory)|path|file) '(.+?)'(?:: No such file or directory| does not exist| was not found)/,
    kind: Diagnostic_Kind.FILE_ACCESS,
    message: match =>
      `There is no file "${firstOf(match)}": a configuration is one module, so put what it imports into it or into a template`,
  },
  {
    pattern:
      /file '(.+)' was not found in the Nix search path|cannot look up '<(.+)>' in pure eval/,
    kind: Diagnostic_Kind.FILE_ACCESS,
    message: match =>
      `"<${match[1] ?? match[2]}>" cannot be used: take "pkgs", "lib" or "modulesPath" from the module's arguments`,
  },
  {
    pattern: /^access to URI '(.+)' is forbidden/,
    kind: Diagnostic_Kind.NETWORK_ACCESS,
    message: match =>
      `A configuration cannot fetch "${firstOf(match)}" while it is evaluated: use a package that fetches it when it is built (pkgs.fetchurl with a hash)`,
  },
  {
    pattern:
      /^in pure evaluation mode, '(.+)' (?:requires|will not fetch)|'(.+)' requires .* in pure evaluation|cannot call '(.+)' on unlocked|unable to download '(.+)'|[Dd]omain '(.+)' not/,
    kind: Diagnostic_Kind.NETWORK_ACCESS,
    message: (_, text) => `A configuration cannot fetch anything while it is evaluated (${text})`,
  },
  {
    pattern:
      /during evaluation because the option 'allow-import-from-derivation' is disabled|import[- ]from[- ]derivation/,
    kind: Diagnostic_Kind.IMPORT_FROM_DERIVATION,
    message: () =>
      'A configuration cannot read what must first be built (import from derivation): write the value into the module instead',
  },
  {
    pattern: /^out of memory/,
    kind: Diagnostic_Kind.MEMORY_LIMIT,
    message: asIs,
  },
  {
    pattern:
      /^(?:cannot coerce|value is |expected (?:a|an) |attempt to call something|cannot (?:add|subtract|multiply|compare|convert)|.* does not look like a module)/,
    kind: Diagnostic_Kind.TYPE,
    message: asIs,
  },
  {
    pattern: /^evaluation aborted with the following error message: '([\s\S]*)'/,
    kind: Diagnostic_Kind.THROWN,
    message: firstOf,
  },
  {
    pattern: /does not provide attribute|attribute '.+' in selection path/,
    kind: Diagnostic_Kind.OTHER,
    message: (_, text) =>
      `The flake of this builder (setting NIX_FLAKE) offers no such image: ${text}`,
  },
];

/** The values and guesses that the module system appends. */
function detailsBehind(text: string): string {
  const details = /(?:Definition values:|definition values:|Did you mean)[\s\S]*/.exec(text)?.[0];
  if (details === undefined) return '';
  const lines = details
    .split('\n')
    .map(line => line.trim().replace(/^- /, ''))
    .filter(line => line !== '' && !/^[Dd]efinition values:$|^Use `lib/.test(line));
  return lines.length === 0 ? '' : `. ${lines.join('; ')}`;
}
