import {FilterError, type Operator, operators, type Value} from './syntax.ts';

/** A value that may also name a field: segments between its dots; `value` is the whole of it. */
export type Operand = {
  readonly segments: readonly string[];
  readonly value: Value;
  readonly quoted: boolean;
  readonly offset: number;
};

// MAC addresses and times hold colons, which otherwise mean "has".
const colonText =
  /(?:[0-9a-f]{2}(?::[0-9a-f]{2}){2,7}|\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:[Zz]|[+-]\d{2}:\d{2})?)(?=[\s()]|$)/iy;
const bareText = /[^\s()"'=<>!:,.\\]+/y;
const spaces = /\s*/y;
const word = /(AND|OR|NOT)(?=[\s()]|$)/y;

export type Scanner = ReturnType<typeof scan>;

/** Reads one filter from left to right; what is no filter is a FilterError. */
export function scan(text: string) {
  let position = 0;

  const match = (expression: RegExp): string | undefined => {
    expression.lastIndex = position;
    const found = expression.exec(text)?.[0];
    if (found !== undefined) position += found.length;
    return found;
  };
  const skip = () => void match(spaces);
  const fail = (problem: string): never => {
    throw new FilterError(problem, position);
  };

  /** Cut at its wildcards. */
  function readQuoted(): Value {
    const start = position;
    const end = text[position];
    const parts = [''];
    const add = (character: string) => void (parts[parts.length - 1] += character);
    for (position += 1; position < text.length; position += 1) {
      const character = text[position] ?? '';
      if (character === end) {
        position += 1;
        return parts;
      }
      if (character === '*') parts.push('');
      else if (character !== '\\') add(character);
      else {
        position += 1;
        add(text[position] ?? '');
      }
    }
    throw new FilterError(`the quotation mark ${end} is never closed`, start);
  }

  const atQuote = () => text[position] === '"' || text[position] === "'";

  function readDotted(): Omit<Operand, 'offset'> {
    const segments: string[] = [];
    const parts = [''];
    const add = (value: Value) => {
      const [first = '', ...rest] = value;
      parts[parts.length - 1] += first;
      parts.push(...rest);
      segments.push(value.join('*'));
    };
    for (;;) {
      if (atQuote() && segments.length > 0) add(readQuoted());
      else add((match(bareText) ?? '').split('*'));
      if (text[position] !== '.') return {segments, value: parts, quoted: false};
      position += 1;
      parts[parts.length - 1] += '.';
    }
  }

  return {
    get position() {
      return position;
    },
    fail,
    atEnd(): boolean {
      skip();
      return position >= text.length;
    },

    /** Whether this character came next, which is then read. */
    take(character: string): boolean {
      skip();
      if (text[position] !== character) return false;
      position += 1;
      return true;
    },

    peek(): string {
      skip();
      return text[position] ?? '';
    },

    takeWord(wanted: 'AND' | 'OR' | 'NOT'): boolean {
      skip();
      word.lastIndex = position;
      if (word.exec(text)?.[1] !== wanted) return false;
      position += wanted.length;
      return true;
    },

    takeOperator(): Operator | undefined {
      skip();
      const found = operators.find(operator => text.startsWith(operator, position));
      if (found) position += found.length;
      return found;
    },

    /** A value, or a field's name. */
    readOperand(expected: string): Operand {
      skip();
      const offset = position;
      if (position >= text.length) return fail(`the filter ends where ${expected} is expected`);
      if (atQuote()) return {segments: [], value: readQuoted(), quoted: true, offset};
      const whole = match(colonText);
      if (whole !== undefined) return {segments: [], value: [whole], quoted: false, offset};
      word.lastIndex = position;
      const keyword = word.exec(text)?.[1];
      if (keyword) return fail(`${keyword} stands where ${expected} is expected`);
      const operand = readDotted();
      if (position === offset)
        return fail(`"${text[position] ?? ''}" stands where ${expected} is expected`);
      return {...operand, offset};
    },
  };
}
