export type Position = {readonly line: number; readonly column: number};

type Token = {readonly kind: 'name' | 'mark'; readonly text: string; readonly offset: number};
type Definition = {readonly path: readonly string[]; readonly offset: number};
type Frame = {
  readonly opener: string;
  readonly prefix: readonly string[];
  binding: readonly string[] | undefined;
};

/**
 * Where a module defines an option, found by reading its attribute sets: the module system names the file of a wrong definition and no
 * line. Values are not computed; a definition that is not written as one is not found. Undefined then.
 */
export function findDefinition(
  text: string,
  option: string,
  /** Else the nearest one above it counts too: `services.demo = someFunction 80;`. */
  {exactly = false} = {},
): Position | undefined {
  const wanted = splitOption(option);
  let best: Definition | undefined;
  for (const definition of definitionsOf([...tokensOf(text)])) {
    const path = definition.path[0] === 'config' ? definition.path.slice(1) : definition.path;
    const isPrefix = path.length <= wanted.length && path.every((name, at) => name === wanted[at]);
    if (isPrefix && path.length > 0 && path.length > (best?.path.length ?? 0))
      best = {path, offset: definition.offset};
  }
  if (!best || (exactly && best.path.length < wanted.length)) return undefined;
  return positionAt(text, best.offset);
}

/** Columns count UTF-16 units, as editors do. */
export function positionAt(text: string, offset: number): Position {
  const before = text.slice(0, offset);
  return {line: before.split('\n').length, column: offset - before.lastIndexOf('\n')};
}

/** `environment.etc."a.b".text` → its four names. */
const splitOption = (option: string): string[] =>
  [...option.matchAll(/"((?:[^"\\]|\\.)*)"|[^."]+/g)].map(([whole, quoted]) => quoted ?? whole);

function* definitionsOf(tokens: readonly Token[]): Generator<Definition> {
  const frames: Frame[] = [{opener: '', prefix: [], binding: undefined}];
  // The semicolon of `with x;` and `assert x;` ends no binding.
  let bareSemicolons = 0;
  for (let at = 0; at < tokens.length; at += 1) {
    const token = tokens[at];
    const frame = frames.at(-1);
    if (!token || !frame) return;
    const {text} = token;
    if (token.kind === 'mark' && ['{', '(', '['].includes(text))
      frames.push({opener: text, prefix: frame.binding ?? frame.prefix, binding: undefined});
    else if (token.kind === 'mark' && ['}', ')', ']'].includes(text)) leave(frames);
    else if (token.kind === 'mark' && text === ';') {
      if (bareSemicolons > 0) bareSemicolons -= 1;
      else frame.binding = undefined;
    } else if (token.kind === 'name') {
      if (text === 'let') frames.push({opener: 'let', prefix: [], binding: undefined});
      else if (text === 'in' && frame.opener === 'let') leave(frames);
      else if (text === 'with' || text === 'assert') bareSemicolons += 1;
      const attribute = frame.binding === undefined && readAttributePath(tokens, at);
      if (attribute) {
        frame.binding = [...frame.prefix, ...attribute.names];
        yield {path: frame.binding, offset: token.offset};
        at = attribute.end;
      }
    }
  }
}

const leave = (frames: Frame[]): void => {
  if (frames.length > 1) frames.pop();
};

/** `a.b."c" =`; `end` is the index of the equals sign. */
function readAttributePath(
  tokens: readonly Token[],
  start: number,
): {readonly names: readonly string[]; readonly end: number} | undefined {
  const names: string[] = [];
  for (let at = start; ; at += 2) {
    const [name, next] = [tokens[at], tokens[at + 1]];
    if (name?.kind !== 'name' || next?.kind !== 'mark') return undefined;
    names.push(name.text);
    if (next.text === '=') return {names, end: at + 1};
    if (next.text !== '.') return undefined;
  }
}

/** Comments, blanks, and what stands inside of strings are left out; a plain string is a name, as attributes may be quoted. */
const pattern =
  /#[^\n]*|\/\*[\s\S]*?\*\/|\s+|(?<name>[A-Za-z_][\w'-]*)|(?<mark>==|[{}()[\];=.])|(?<quote>"|'')|[\s\S]/gy;

function* tokensOf(text: string): Generator<Token> {
  pattern.lastIndex = 0;
  for (let match = pattern.exec(text); match; match = pattern.exec(text)) {
    const {index: offset, groups} = match;
    if (groups?.name !== undefined) yield {kind: 'name', text: groups.name, offset};
    else if (groups?.mark !== undefined) yield {kind: 'mark', text: groups.mark, offset};
    else if (groups?.quote !== undefined) {
      const resume = endOfString(text, offset + groups.quote.length, groups.quote);
      if (groups.quote === '"')
        yield {kind: 'name', text: text.slice(offset + 1, resume - 1), offset};
      pattern.lastIndex = resume;
    }
  }
}

/** The offset behind the closing quote; interpolations may hold strings again. */
function endOfString(text: string, start: number, quote: string): number {
  for (let at = start; at < text.length; at += 1) {
    if (quote === '"' && text[at] === '\\') at += 1;
    else if (quote === "''" && /^''(?:'|\$|\\)/.test(text.slice(at, at + 3))) at += 2;
    else if (text.startsWith('${', at)) at = endOfInterpolation(text, at + 2) - 1;
    else if (text.startsWith(quote, at)) return at + quote.length;
  }
  return text.length;
}

function endOfInterpolation(text: string, start: number): number {
  let depth = 1;
  for (let at = start; at < text.length; at += 1) {
    if (text[at] === '"') at = endOfString(text, at + 1, '"') - 1;
    else if (text.startsWith("''", at)) at = endOfString(text, at + 2, "''") - 1;
    else if (text[at] === '{') depth += 1;
    else if (text[at] === '}') depth -= 1;
    if (depth === 0) return at + 1;
  }
  return text.length;
}
