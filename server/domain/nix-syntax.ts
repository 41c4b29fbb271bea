import {levels, negateLevel, notLevel, single} from './nix-operators.ts';
import {createTokenStream} from './nix-token-stream.ts';
import {
  endOfIndentedPart,
  endOfPathPart,
  endOfStringPart,
  NixSyntaxError,
  type NixToken,
} from './nix-tokens.ts';

export type SyntaxProblem = {readonly message: string; readonly offset: number};

const shownLengthMax = 40;

/**
 * The first error in the syntax of a Nix expression, where Nix itself would see it; undefined when there is none. The language of Nix 2.8 to
 * 2.34 without experimental features (docs/decisions/0003-nix-syntax.md).
 */
export function checkNixSyntax(source: string): SyntaxProblem | undefined {
  try {
    createParser(source).parseAll();
    return undefined;
  } catch (error) {
    if (!(error instanceof NixSyntaxError)) throw error;
    return {message: error.message, offset: error.offset};
  }
}

function createParser(source: string) {
  const stream = createTokenStream(source);
  const {advance, peek, isSymbol, isKeyword, fail, take, nested} = stream;

  /** Functions, `let`, `with` and the like end in another expression: a loop, however many there are. */
  const parseExpression = () =>
    nested(() => {
      while (parsePrefix());
      parseOperation(0);
    });

  /** True when an expression has to follow. */
  function parsePrefix(): boolean {
    if (isKeyword('assert') || isKeyword('with')) {
      const {text} = stream.token;
      advance();
      parseExpression();
      take(';', `";" after the condition of "${text}"`);
      return true;
    }
    if (isKeyword('if')) {
      advance();
      parseExpression();
      take('then', '"then" of the "if"');
      parseExpression();
      take('else', '"else" of the "if": it is never left out');
      return true;
    }
    if (isKeyword('let')) return parseLet();
    return parseFunctionHead();
  }

  function parseLet(): boolean {
    const opener = stream.token;
    const next = peek(stream.token.end);
    // `let { … }` of old is a value.
    if (next.kind === 'symbol' && next.text === '{') return false;
    advance();
    parseBindings(() => isKeyword('in'), 'a name, or "in"');
    take('in', '"in"', opener);
    return true;
  }

  function parseFunctionHead(): boolean {
    if (stream.isName()) {
      const next = peek(stream.token.end);
      if (next.kind !== 'symbol' || (next.text !== ':' && next.text !== '@')) return false;
      advance(next.end);
      if (next.text === ':') return true;
      parseFormals();
      take(':', '":" after the arguments');
      return true;
    }
    if (!isSymbol('{') || !isFormals()) return false;
    parseFormals();
    if (isSymbol('@')) {
      advance();
      if (!stream.isName()) fail('a name after "@"');
      advance();
    }
    take(':', '":" after the arguments');
    return true;
  }

  /** Whether this "{" begins the arguments of a function, and no set. */
  function isFormals(): boolean {
    const first = peek(stream.token.end);
    if (first.kind === 'symbol' && first.text === '...') return true;
    if (first.kind !== 'name' && first.text !== '}') return false;
    const second = peek(first.end);
    const after = first.text === '}' ? [':', '@'] : [',', '?', '}'];
    return second.kind === 'symbol' && after.includes(second.text);
  }

  function parseFormals(): void {
    const opener = stream.token;
    take('{', '"{" with the arguments');
    while (!isSymbol('}')) {
      if (isSymbol('...')) {
        advance();
        break;
      }
      if (!stream.isName()) fail('the name of an argument, "..." or "}"');
      advance();
      if (isSymbol('?')) {
        advance();
        parseExpression();
      }
      if (!isSymbol(',')) break;
      advance();
    }
    take('}', '"," or "}" after an argument', opener);
  }

  function parseOperation(least: number): void {
    if (isSymbol('!') || isSymbol('-')) {
      const level = stream.token.text === '!' ? notLevel : negateLevel;
      advance();
      nested(() => parseOperation(level));
    } else parseApplication();

    for (;;) {
      const operator = stream.token.text;
      const level = stream.token.kind === 'symbol' ? levels[operator] : undefined;
      if (level === undefined || level < least) return;
      advance();
      if (operator === '?') parseAttributePath();
      else nested(() => parseOperation(level + 1));
      if (
        single.has(level) &&
        stream.token.kind === 'symbol' &&
        levels[stream.token.text] === level
      )
        fail(`parentheses: "${operator}" and "${stream.token.text}" do not follow each other`);
    }
  }

  function parseApplication(): void {
    parseSelection('a value');
    while (startsValue()) parseSelection('a value');
  }

  function startsValue(): boolean {
    if (stream.token.kind === 'symbol')
      return ['"', "''", '(', '[', '{'].includes(stream.token.text);
    if (stream.token.kind === 'keyword')
      return stream.token.text === 'rec' || stream.token.text === 'let';
    return stream.token.kind !== 'end';
  }

  function parseSelection(expected: string): void {
    parseValue(expected);
    if (isSymbol('.')) {
      advance();
      parseAttributePath();
    }
    if (!isKeyword('or')) return;
    advance();
    // Without a path before it, `or` was an argument once, and Nix still takes it for one.
    if (startsValue()) nested(() => parseSelection('a value after "or"'));
  }

  function parseValue(expected: string): void {
    if (stream.isName() || stream.token.kind === 'value') return advance();
    if (stream.token.kind === 'path') return parsePath();
    if (isKeyword('rec') || isKeyword('let')) {
      advance();
      return parseSet();
    }
    if (isSymbol('"')) return parseString(endOfStringPart);
    if (isSymbol("''")) return parseString(endOfIndentedPart);
    if (isSymbol('{')) return parseSet();
    const opener = stream.token;
    if (isSymbol('(')) {
      advance();
      parseExpression();
      return take(')', '")"', opener);
    }
    if (!isSymbol('[')) return fail(expected);
    advance();
    nested(() => {
      while (startsValue()) parseSelection('a value');
    });
    return take(']', 'a value or "]"', opener);
  }

  function parseSet(): void {
    const opener = stream.token;
    take('{');
    nested(() => parseBindings(() => isSymbol('}'), 'a name, "inherit" or "}"', opener));
    take('}', '"}"', opener);
  }

  function parseBindings(isOver: () => boolean, expected: string, opener?: NixToken): void {
    while (!isOver()) {
      if (stream.token.kind === 'end' && opener) take('}', '"}"', opener);
      if (isKeyword('inherit')) {
        parseInherit();
        continue;
      }
      if (!startsAttribute()) fail(expected);
      const {start} = stream.token;
      parseAttributePath();
      const name = source.slice(start, stream.token.start).trim().slice(0, shownLengthMax);
      take('=', `"=" or "." after ${JSON.stringify(name)}`);
      parseExpression();
      take(';', `";" at the end of the value of ${JSON.stringify(name)}`);
    }
  }

  function parseInherit(): void {
    advance();
    const opener = stream.token;
    if (isSymbol('(')) {
      advance();
      parseExpression();
      take(')', '")"', opener);
    }
    while (startsAttribute()) parseAttribute();
    take(';', 'a name or ";" after "inherit"');
  }

  function parseAttributePath(): void {
    parseAttribute();
    while (isSymbol('.')) {
      advance();
      parseAttribute();
    }
  }

  const startsAttribute = () =>
    stream.isName() || isKeyword('or') || isSymbol('"') || isSymbol('${');

  function parseAttribute(): void {
    if (!startsAttribute()) fail('the name of an attribute');
    if (isSymbol('"')) return parseString(endOfStringPart);
    if (isSymbol('${')) return parseInterpolation();
    return advance();
  }

  function parseInterpolation(): void {
    const opener = stream.token;
    advance();
    parseExpression();
    take('}', '"}"', opener);
  }

  function parseString(endOfPart: (source: string, from: number) => number | undefined): void {
    const opener = stream.token;
    for (let from = opener.end; ;) {
      const end = endOfPart(source, from);
      if (end === undefined)
        throw new NixSyntaxError(
          `This string is not closed: ${opener.text} is missing`,
          opener.start,
        );
      if (source[end] !== '$') return advance(end + opener.text.length);
      from = skipInterpolation(end);
    }
  }

  function parsePath(): void {
    for (let at = stream.token.end; ;) {
      at = endOfPathPart(source, at);
      if (!source.startsWith('${', at)) {
        if (source[at - 1] === '/') throw new NixSyntaxError('A path cannot end with "/"', at - 1);
        return advance(at);
      }
      at = skipInterpolation(at);
    }
  }

  /** From its "${" to behind its "}", where text goes on: what follows is no token. */
  function skipInterpolation(start: number): number {
    const opener: NixToken = {kind: 'symbol', text: '${', start, end: start + 2};
    advance(opener.end);
    parseExpression();
    if (!isSymbol('}')) take('}', '"}"', opener);
    return stream.token.end;
  }

  return {
    parseAll(): void {
      parseExpression();
      if (stream.token.kind !== 'end') fail('an operator, or the end of the text');
    },
  };
}
