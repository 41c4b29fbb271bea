/** What is wrong, in words for its author, and where (UTF-16 units from the start). */
export class NixSyntaxError extends Error {
  override readonly name = 'NixSyntaxError';
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

export type NixToken = {
  readonly kind: 'name' | 'value' | 'path' | 'keyword' | 'symbol' | 'end';
  readonly text: string;
  readonly start: number;
  readonly end: number;
};

const keywords: ReadonlySet<string> = new Set([
  'if',
  'then',
  'else',
  'assert',
  'with',
  'let',
  'in',
  'rec',
  'inherit',
  'or',
]);

// As in Nix's own lexer (src/libexpr/lexer.l): of these rules the longest match counts, of two equal ones the first.
const symbol = /\.\.\.|==|!=|<=|>=|&&|\|\||->|\/\/|\+\+|\$\{|''|[{}()[\];:,.@?=!<>+\-*/"]/y;
const name = /[a-zA-Z_][a-zA-Z0-9_'-]*/y;
const integer = /[0-9]+/y;
const float = /(?:[1-9][0-9]*\.[0-9]*|0?\.[0-9]+)(?:[Ee][+-]?[0-9]+)?/y;
const searchPath = /<[a-zA-Z0-9._\-+]+(?:\/[a-zA-Z0-9._\-+]+)*>/y;
const pathRun = /[a-zA-Z0-9._\-+]+/y;
const pathRest = /(?:\/[a-zA-Z0-9._\-+]+)+\/?/y;
const schemeRun = /[a-zA-Z0-9+\-.]+/y;
const uriRest = /:[a-zA-Z0-9%/?:@&=+$,\-_.!~*']+/y;
const pathPart = /[a-zA-Z0-9._\-+/]+/y;
const space = /[ \t\r\n]+/y;
const lineComment = /#[^\r\n]*/y;

/** Reads the token at or after an offset, in code (not in a string). Throws NixSyntaxError. */
export type ReadToken = (from: number) => NixToken;

/** Takes time in proportion to the text, whatever stands in it: runs of letters that might become a path or a URI are measured once. */
export function createTokenReader(source: string): ReadToken {
  const endOfPathRun = createRunMeter(source, pathRun);
  const endOfSchemeRun = createRunMeter(source, schemeRun);

  const endOfPath = (start: number): number => {
    const slash = source[start] === '~' ? start + 1 : endOfPathRun(start);
    if (source[slash] !== '/') return start;
    if (source.startsWith('${', slash + 1)) return slash + 1;
    const rest = lengthOf(pathRest, source, slash);
    return rest === 0 ? start : slash + rest;
  };
  const endOfUri = (start: number): number => {
    if (source[start] === '_') return start;
    const colon = endOfSchemeRun(start);
    const rest = lengthOf(uriRest, source, colon);
    return rest === 0 ? start : colon + rest;
  };

  const after = (pattern: RegExp, start: number) => start + lengthOf(pattern, source, start);

  /** Only the rules that may match what begins like this. */
  const candidatesAt = (start: number): readonly Candidate[] => {
    const first = source[start] ?? '';
    if (onlySymbols.has(first)) return [['symbol', after(symbol, start)]];
    if (/[a-zA-Z_]/.test(first))
      return [
        ['name', after(name, start)],
        ['path', endOfPath(start)],
        ['value', endOfUri(start)],
      ];
    return [
      ['symbol', after(symbol, start)],
      ['value', Math.max(after(integer, start), after(float, start))],
      ['path', endOfPath(start)],
      ['value', after(searchPath, start)],
    ];
  };

  return from => {
    const start = skipBlank(source, from);
    if (start >= source.length) return {kind: 'end', text: '', start, end: start};
    let [kind, end]: Candidate = ['end', start];
    for (const candidate of candidatesAt(start)) if (candidate[1] > end) [kind, end] = candidate;
    if (end === start)
      throw new NixSyntaxError(`Unexpected character ${quoteCharacter(source, start)}`, start);
    const text = source.slice(start, end);
    return {kind: kind === 'name' && keywords.has(text) ? 'keyword' : kind, text, start, end};
  };
}

type Candidate = readonly [kind: NixToken['kind'], end: number];

const onlySymbols: ReadonlySet<string> = new Set('{}()[];:,@?=!>&|"\'*$');

/** Where the run of such characters ends that an offset lies in. */
function createRunMeter(source: string, run: RegExp): (at: number) => number {
  let known = {from: 0, end: 0};
  return at => {
    if (at < known.from || at >= known.end) known = {from: at, end: at + lengthOf(run, source, at)};
    return known.end;
  };
}

function skipBlank(source: string, from: number): number {
  for (let at = from; ;) {
    if (source.startsWith('/*', at)) {
      const end = source.indexOf('*/', at + 2);
      if (end === -1) throw new NixSyntaxError('This comment is not closed: "*/" is missing', at);
      at = end + 2;
      continue;
    }
    const length = lengthOf(space, source, at) + lengthOf(lineComment, source, at);
    if (length === 0) return at;
    at += length;
  }
}

/** Where the piece of a path ends that begins here, in front of an interpolation or of what is no path. */
export const endOfPathPart = (source: string, from: number): number =>
  from + lengthOf(pathPart, source, from);

/** Where the next interpolation or the end of a "string" begins: at a `${`, or at its closing quote. Undefined when it is not closed. */
export function endOfStringPart(source: string, from: number): number | undefined {
  for (let at = from; at < source.length;) {
    const [character, next] = [source[at], source[at + 1]];
    if (character === '"') return at;
    if (character === '$' && next === '{') return at;
    if (character === '\\') at += 2;
    else if (character === '$' && next !== '"' && next !== '\\') at += 2;
    else at += 1;
  }
  return undefined;
}

/** The same of an ''indented string''. */
export function endOfIndentedPart(source: string, from: number): number | undefined {
  for (let at = from; at < source.length;) {
    const [character, next, third] = [source[at], source[at + 1], source[at + 2]];
    if (character === '$' && next === '{') return at;
    if (character === '$') at += next === "'" ? 1 : 2;
    else if (character !== "'" || next !== "'") at += 1;
    else if (third === '$' || third === "'") at += 3;
    else if (third === '\\') at += 4;
    else return at;
  }
  return undefined;
}

function lengthOf(pattern: RegExp, source: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.exec(source)?.[0].length ?? 0;
}

const quoteCharacter = (source: string, at: number): string =>
  JSON.stringify(String.fromCodePoint(source.codePointAt(at) ?? 0));
