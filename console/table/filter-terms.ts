import {quoted} from './filter-completion.ts';

/** The parts that a filter joins by AND at its top level, as written. OR binds more tightly, so nothing else is split. */
export function conjuncts(filter: string): readonly string[] {
  const parts: string[] = [];
  let depth = 0;
  let inQuotes = false;
  let from = 0;
  for (let at = 0; at < filter.length; at += 1) {
    const sign = filter[at];
    if (sign === '\\' && inQuotes) at += 1;
    else if (sign === '"') inQuotes = !inQuotes;
    else if (inQuotes) continue;
    else if (sign === '(') depth += 1;
    else if (sign === ')') depth -= 1;
    else if (depth === 0 && /^\sAND\s/.test(filter.slice(at, at + 5))) {
      parts.push(filter.slice(from, at));
      from = at + 5;
    }
  }
  return [...parts, filter.slice(from)].map(part => part.trim()).filter(Boolean);
}

/** Words that are typed to find something mean themselves: quotes make each a phrase, whatever brackets and operators it has. */
export const phrasesOf = (text: string): readonly string[] =>
  text
    .split(/\s+/)
    .filter(Boolean)
    .map(word => JSON.stringify(word));

const plain = (field: string): RegExp =>
  new RegExp(`^${field.replaceAll('.', String.raw`\.`)}\\s*=\\s*(.+)$`);

/** Values of `field = A` or `field = (A OR B)`, in the order of the filter; none when the filter says nothing simple about the field. */
export function chosenValues(filter: string, field: string): readonly string[] {
  for (const part of conjuncts(filter)) {
    const [, right] = plain(field).exec(part) ?? [];
    if (right !== undefined) return valuesOf(right);
  }
  return [];
}

/** The filter with this value of the field added, or taken out when it was in. */
export function toggleValue(filter: string, field: string, value: string): string {
  const parts = conjuncts(filter);
  const at = parts.findIndex(part => plain(field).test(part));
  const old = chosenValues(filter, field);
  const values = old.includes(value) ? old.filter(other => other !== value) : [...old, value];
  const term =
    values.length === 0
      ? []
      : [
          values.length === 1
            ? `${field} = ${quoted(values[0] ?? '')}`
            : `${field} = (${values.map(quoted).join(' OR ')})`,
        ];
  const next = at < 0 ? [...parts, ...term] : parts.toSpliced(at, 1, ...term);
  return next.join(' AND ');
}

function valuesOf(right: string): readonly string[] {
  const inside = /^\((.*)\)$/.exec(right)?.[1] ?? right;
  return inside.split(/\sOR\s/).map(text => {
    const word = text.trim();
    return /^".*"$/.test(word) ? word.slice(1, -1).replaceAll(/\\(.)/g, '$1') : word;
  });
}
