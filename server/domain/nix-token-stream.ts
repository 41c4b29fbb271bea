import {createTokenReader, NixSyntaxError, type NixToken} from './nix-tokens.ts';
import {lineOf} from './text-positions.ts';

/** Far beyond what people write, far below what the stack of this process holds. */
const nestingMax = 400;
const shownLengthMax = 40;

export type NixTokenStream = ReturnType<typeof createTokenStream>;

/** The tokens of a Nix expression one after the other, and what a parser says about them. */
export function createTokenStream(source: string) {
  const read = createTokenReader(source);
  let token: NixToken = read(0);
  let nesting = 0;

  const advance = (from = token.end) => {
    token = read(from);
  };
  const isSymbol = (text: string) => token.kind === 'symbol' && token.text === text;
  const isName = () => token.kind === 'name';
  const isKeyword = (text: string) => token.kind === 'keyword' && token.text === text;
  const fail = (expected: string): never => {
    const {kind, text, start} = token;
    const shown =
      kind === 'end' ? 'end of the text' : JSON.stringify(text.slice(0, shownLengthMax));
    throw new NixSyntaxError(`Unexpected ${shown}: expected ${expected}`, start);
  };
  /** `opener` is what this closes, for the one who looks for it at the end of the text. */
  const take = (text: string, what = `"${text}"`, opener?: NixToken) => {
    if (token.text === text && token.kind !== 'value') return advance();
    if (opener && token.kind === 'end')
      fail(`${what} for the "${opener.text}" of line ${lineOf(source, opener.start)}`);
    return fail(what);
  };

  const nested = (parse: () => void) => {
    nesting += 1;
    if (nesting > nestingMax)
      throw new NixSyntaxError(
        `Nested more than ${nestingMax} deep: name parts with "let"`,
        token.start,
      );
    parse();
    nesting -= 1;
  };

  return {
    get token() {
      return token;
    },
    /** On to the token at or after an offset; by itself to the next one. */
    advance,
    /** The token at or after an offset, without going there. */
    peek: read,
    isSymbol,
    isName,
    isKeyword,
    fail,
    take,
    nested,
  };
}
