/**
 * A piece of SQL with its values. Queries that are put together from a filter have any number of shapes; postgres.js would keep each as a
 * prepared statement for as long as its connection lives, so they are sent by `sql.unsafe` without one. No value ever becomes text of the query.
 */
export class Fragment {
  readonly texts: readonly string[];
  readonly values: readonly (Fragment | Parameter)[];

  constructor(texts: readonly string[], values: readonly (Fragment | Parameter)[]) {
    this.texts = texts;
    this.values = values;
  }
}

export type Parameter = string | number | boolean | readonly string[];

export function part(
  texts: TemplateStringsArray,
  ...values: readonly (Fragment | Parameter)[]
): Fragment {
  return new Fragment(texts, values);
}

/** Text of our own source code, from a table of constants; never what somebody sent. */
export const constant = (text: string): Fragment => new Fragment([text], []);

export const yes = constant('true');
export const no = constant('false');

export function join(fragments: readonly Fragment[], separator: 'and' | 'or' | ','): Fragment {
  const [first, ...rest] = fragments;
  if (!first) return constant('');
  const glue = separator === ',' ? ', ' : ` ${separator} `;
  return new Fragment(['', ...rest.map(() => glue), ''], fragments);
}

/** With `$1`, `$2`, … in place of the values. */
export function compile(fragment: Fragment): {
  readonly text: string;
  readonly parameters: readonly Parameter[];
} {
  const parameters: Parameter[] = [];
  const write = ({texts, values}: Fragment): string =>
    texts
      .map((text, index) => {
        const value = values[index];
        if (value === undefined) return text;
        if (value instanceof Fragment) return text + write(value);
        parameters.push(value);
        return `${text}$${parameters.length}`;
      })
      .join('');
  return {text: write(fragment), parameters};
}
