/** A path template of google.api.http, ready to match. */
export type PathTemplate = {
  /** As the contract has it. */
  readonly text: string;
  /** Proto field paths, in the order of the expression's groups: "machine.id". */
  readonly variables: readonly string[];
  readonly expression: RegExp;
  /** The template with every variable as `*`: two templates with one shape match the same paths. */
  readonly shape: string;
};

/**
 * Grammar (google/api/http.proto): "/" segments [":" verb]; a segment is a literal, `*`, `**`, or `{field.path[=segments]}`.
 * A variable without a pattern takes one whole segment. Throws on anything else.
 */
export function compileTemplate(template: string): PathTemplate {
  const [, path, verb = ''] = /^((?:\/(?:\{[^{}]+\}|[^/{}:<>]+))+)(:[\w-]+)?$/.exec(template) ?? [];
  if (!path) throw new Error(`Cannot read the path template "${template}"`);

  const variables: string[] = [];
  const shape = path.replaceAll(
    /\{([\w.]+)(?:=([^{}]+))?\}/g,
    (_whole, name: string, pattern = '*') => {
      variables.push(name);
      return `<${pattern}>`;
    },
  );
  if (/[{}]/.test(shape)) throw new Error(`Cannot read a variable of "${template}"`);

  const source = (shape + verb)
    .split(/(\*\*|[*<>])/)
    .map(part => groups[part] ?? RegExp.escape(part))
    .join('');
  return {
    text: template,
    variables,
    expression: new RegExp(`^${source}$`),
    shape: shape.replaceAll(/[<>]/g, '') + verb,
  };
}

const groups: Readonly<Record<string, string>> = {
  '*': '[^/]+',
  '**': '.+',
  '<': '(',
  '>': ')',
};

/** Sorts what is said exactly before what takes anything: `/users/me` before `/users/{id}`. */
export function compareShapes(a: string, b: string): number {
  const rank = (shape: string) => shape.replaceAll('**', '\u{fffe}').replaceAll('*', '\u{fffd}');
  // A custom verb is more exact than a variable that would swallow it.
  const verbs = Number(/:[\w-]+$/.test(b)) - Number(/:[\w-]+$/.test(a));
  if (verbs !== 0) return verbs;
  return rank(a) < rank(b) ? -1 : Number(rank(a) > rank(b));
}
