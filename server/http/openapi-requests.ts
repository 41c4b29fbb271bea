import type {DescField, DescMessage, JsonObject} from '@bufbuild/protobuf';
import {objectIn, rulesOf} from './openapi-rules.ts';
import {requiredFields, type Schemas} from './openapi-schemas.ts';
import {isTextual} from './rest-input.ts';
import {isWellKnown} from './rest-json.ts';
import {fieldAt, type Route} from './rest-routes.ts';
import type {PathTemplate} from './rest-template.ts';

/** Messages in messages, as a dotted parameter. */
const queryDepthMax = 4;

/** The path as OpenAPI writes it, and its variables under the shortest names that tell them apart: `{machine.id}` is `{id}`. */
export function pathOf({text, variables}: PathTemplate): {
  readonly path: string;
  readonly names: readonly string[];
} {
  const last = (variable: string) => variable.split('.').at(-1) ?? variable;
  const short = variables.map(last);
  const names =
    new Set(short).size === short.length
      ? short
      : variables.map(variable => variable.replaceAll('.', '_'));
  const rest = [...names];
  return {path: text.replaceAll(/\{[^{}]+\}/g, () => `{${rest.shift()}}`), names};
}

/** What rest-input.ts takes from path and query. */
export function parametersOf(
  {handler, template, body}: Route,
  names: readonly string[],
  schemas: Schemas,
): readonly JsonObject[] {
  const {input} = handler.method;
  const inPath = template.variables.map((variable, index) => {
    const field = fieldAt(input, variable).at(-1);
    const name = names[index] ?? variable;
    return field ? parameterOf(name, 'path', {field, schemas}) : {};
  });
  if (body === '*') return inPath;

  const required = requiredFields(input, 'input');
  const inQuery = queryFields(input)
    .filter(({name}) => !template.variables.includes(name))
    .filter(({name}) => typeof body !== 'object' || name.split('.')[0] !== body.name)
    .map(({name, field}) => ({
      ...parameterOf(name, 'query', {field, schemas}),
      ...(required.includes(name) ? {required: true} : {}),
    }));
  return [...inPath, ...inQuery];
}

function parameterOf(
  name: string,
  place: 'path' | 'query',
  {field, schemas}: {readonly field: DescField; readonly schemas: Schemas},
): JsonObject {
  const {description, ...schema} = schemas.ofField(field, 'input');
  return {
    name,
    in: place,
    ...(place === 'path' ? {required: true} : {}),
    ...(description === undefined ? {} : {description}),
    schema,
  };
}

type QueryField = {readonly name: string; readonly field: DescField};

/** Every field that a query parameter can name, also those inside of messages. */
function queryFields(message: DescMessage, prefix = '', depth = 1): readonly QueryField[] {
  return message.fields.flatMap(field => {
    const name = prefix + field.name;
    if (field.fieldKind === 'map') return [];
    if (!field.message || isTextual(field.message)) return [{name, field}];
    if (field.fieldKind === 'list' || isWellKnown(field.message) || depth === queryDepthMax)
      return [];
    return queryFields(field.message, `${name}.`, depth + 1);
  });
}

/** Undefined when no body is read, or nothing is left for it beside the path. */
export function requestBodyOf({handler, template, body}: Route, schemas: Schemas) {
  const {input} = handler.method;
  if (body === undefined) return undefined;
  if (body !== '*') {
    const inner = body.message && requiredFields(body.message, 'input');
    const required = objectIn(rulesOf(body)).required === true || (inner?.length ?? 0) > 0;
    return content(required, schemas.ofField(body, 'input'));
  }
  const inPath = template.variables;
  if (input.fields.every(({name}) => inPath.includes(name))) return undefined;
  const required = requiredFields(input, 'input').some(name => !inPath.includes(name));
  return content(
    required,
    inPath.length === 0
      ? schemas.ofMessage(input, 'input')
      : schemas.ofFields(input, 'input', inPath),
  );
}

const content = (required: boolean, schema: JsonObject): JsonObject => ({
  required,
  content: {'application/json': {schema}},
});
