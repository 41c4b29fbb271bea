import {fragment, type Html, joined, prose} from './api-docs-html.ts';

/** What the page reads of a JSON Schema. */
export type PageSchema = {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly format?: string;
  readonly enum?: readonly unknown[];
  readonly items?: PageSchema;
  readonly properties?: Readonly<Record<string, PageSchema>>;
  readonly additionalProperties?: boolean | PageSchema;
  readonly required?: readonly string[];
  readonly anyOf?: readonly PageSchema[];
  readonly allOf?: readonly PageSchema[];
  readonly not?: PageSchema;
};

/** Fields of an object, one a row. */
export function fieldRows({properties = {}, required = []}: PageSchema): Html {
  const names = Object.keys(properties);
  if (names.length === 0) return fragment`<p class="quiet">No fields.</p>`;
  return table(
    names.map(name => ({
      name,
      required: required.includes(name),
      schema: properties[name] ?? {},
      description: properties[name]?.description,
    })),
  );
}

export type Row = {
  readonly name: string;
  readonly required: boolean;
  readonly note?: string;
  readonly schema: PageSchema;
  readonly description: string | undefined;
};

export const table = (rows: readonly Row[]): Html =>
  fragment`<table>
    ${rows.map(
      ({name, required, note, schema, description}) =>
        fragment`<tr>
          <th scope="row">
            <code>${name}</code
            >${required ? fragment` <b title="required">*</b>` : undefined}${note ? fragment`<br /><small>${note}</small>` : undefined}
          </th>
          <td>${typeOf(schema)}${limitsOf(schema)}${prose(description)}</td>
        </tr> `,
    )}
  </table>`;

/** "array of Machine", with a link to where the schema is told. */
export function typeOf(schema: PageSchema): Html {
  if (schema.$ref) {
    const name = schema.$ref.split('/').at(-1) ?? '';
    return fragment`<a href="#schema-${name}">${name}</a>`;
  }
  if (schema.items) return fragment`array of ${typeOf(schema.items)}${limitsOf(schema.items)}`;
  if (typeof schema.additionalProperties === 'object')
    return fragment`map of ${typeOf(schema.additionalProperties)}`;
  const types = [schema.type ?? []].flat();
  if (types.length === 0 && schema.anyOf) return joined(schema.anyOf.map(typeOf), ' or ');
  const name = types.length > 0 ? types.join(' or ') : 'anything';
  return fragment`${name}${schema.format ? fragment` <small>${schema.format}</small>` : undefined}`;
}

const silent = new Set(
  '$ref type description format items properties additionalProperties required contentEncoding x-muster-secret deprecated'.split(
    ' ',
  ),
);

/** Every other keyword as it is: `maxLength 64`. */
export function limitsOf(schema: PageSchema): Html {
  const limits = Object.entries(schema).filter(([keyword]) => !silent.has(keyword));
  // Two words for what every reader knows by them.
  const marks = ['x-muster-secret', 'deprecated'].filter(keyword => keyword in schema);
  return joined([
    ...marks.map(mark => fragment` <small class="mark">${mark.replace('x-muster-', '')}</small>`),
    ...limits
      .filter(([keyword, value]) => keyword !== 'anyOf' || schema.type || !Array.isArray(value))
      .map(
        ([keyword, value]) => fragment` <small class="limit">${keyword} ${textOf(value)}</small>`,
      ),
  ]);
}

const textOf = (value: unknown): string =>
  Array.isArray(value) ? value.map(textOf).join(', ') : JSON.stringify(value);
