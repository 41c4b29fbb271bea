import {StreamLanguage, type StringStream} from '@codemirror/language';

type State = {
  /** What ends the text that the line begins in: a comment or a string; undefined: code. */
  inside: 'comment' | 'quotes' | 'lines' | undefined;
};

const keywords = /^(?:let|in|with|rec|inherit|if|then|else|assert|import|or)\b/;
const atoms = /^(?:true|false|null)\b/;

/** Colours of Nix: words, strings, comments, numbers, paths. What is wrong is said by the server. */
export const nixLanguage = StreamLanguage.define<State>({
  name: 'nix',
  startState: () => ({inside: undefined}),
  token(stream, state) {
    if (state.inside) return insideText(stream, state);
    if (stream.eatSpace()) return null;
    if (stream.match('#')) {
      stream.skipToEnd();
      return 'comment';
    }
    if (stream.match('/*')) return begin('comment', stream, state);
    if (stream.match("''")) return begin('lines', stream, state);
    if (stream.match('"')) return begin('quotes', stream, state);
    if (stream.match(keywords)) return 'keyword';
    if (stream.match(atoms)) return 'atom';
    if (stream.match(/^\d+(?:\.\d+)?/)) return 'number';
    if (stream.match(/^(?:\.{0,2}|~)\/[\w.+/-]+/) || stream.match(/^<[\w./-]+>/)) return 'string-2';
    if (stream.match(/^[a-zA-Z_][\w'-]*(?=\s*[.=])/)) return 'propertyName';
    if (stream.match(/^[a-zA-Z_][\w'-]*/)) return 'variableName';
    if (stream.match(/^(?:\+\+|->|==|!=|<=|>=|&&|\|\||\/\/|[+*/<>!?@:=-])/)) return 'operator';
    stream.next();
    return null;
  },
  languageData: {commentTokens: {line: '#', block: {open: '/*', close: '*/'}}},
});

function begin(inside: NonNullable<State['inside']>, stream: StringStream, state: State): string {
  state.inside = inside;
  return insideText(stream, state);
}

function insideText(stream: StringStream, state: State): string {
  const {inside} = state;
  while (!stream.eol()) {
    if (inside === 'quotes' && stream.match(/^\\./)) continue;
    // Two quotes and a third sign are an escape within ''…''.
    if (inside === 'lines' && stream.match(/^''(?:'|\$|\\)/)) continue;
    const end = inside === 'comment' ? '*/' : inside === 'quotes' ? '"' : "''";
    if (stream.match(end)) {
      state.inside = undefined;
      break;
    }
    stream.next();
  }
  return inside === 'comment' ? 'comment' : 'string';
}
