import {fragment, type Html, joined, prose, verbatim} from './api-docs-html.ts';
import {fieldRows, limitsOf, type PageSchema, table, typeOf} from './api-docs-schemas.ts';
import {script, style} from './api-docs-style.ts';
import {pagePolicy} from './page-policy.ts';

/** What the page reads of an OpenAPI document. */
export type ApiDocument = {
  readonly info: {readonly title: string; readonly version: string; readonly description: string};
  readonly tags: readonly {readonly name: string; readonly description?: string}[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {readonly schemas: Readonly<Record<string, PageSchema>>};
};

type Operation = {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description?: string;
  readonly security: readonly object[];
  readonly 'x-muster-rpc': string;
  readonly parameters: readonly {
    readonly name: string;
    readonly in: string;
    readonly required?: boolean;
    readonly description?: string;
    readonly schema: PageSchema;
  }[];
  readonly requestBody?: {readonly required: boolean; readonly content: Content};
  readonly responses: Readonly<
    Record<string, {readonly description?: string; readonly content?: Content}>
  >;
};

type Content = Readonly<Record<string, {readonly schema: PageSchema}>>;

type Entry = {readonly path: string; readonly verb: string; readonly operation: Operation};

export const apiPagePolicy = pagePolicy({script, style});

/** The reference as one page that needs nothing else: it is whole without its script, which only searches. */
export function apiPage(document: ApiDocument): string {
  const {info, tags, paths, components} = document;
  const entries = Object.entries(paths).flatMap(([path, verbs]) =>
    Object.entries(verbs).map(([verb, operation]) => ({path, verb, operation})),
  );
  const of = (tag: string) => entries.filter(({operation}) => operation.tags.includes(tag));
  const names = Object.keys(components.schemas);
  return fragment`<!doctype html>
    <html lang="en">
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width" />
      <title>${info.title} ${info.version}: REST reference</title>
      <style>${verbatim(style)}</style>
      ${navigation(document, of)}
      <main>
        <header>
          <h1>${info.title} <small>${info.version}</small></h1>
          <p><a href="/openapi.json">openapi.json</a></p>
          ${prose(info.description)}
        </header>
        ${tags.map(
          ({name, description}) =>
            fragment`<section>
              <h2 id="tag-${name}">${name}</h2>
              ${prose(description)}${of(name).map(article)}
            </section> `,
        )}
        <section>
          <h2 id="schemas">Schemas</h2>
          ${names.map(name => schemaArticle(name, components.schemas[name] ?? {}))}
        </section>
        <p class="nothing">Nothing fits the search.</p>
      </main>
      <script>${verbatim(script)}</script>
    </html> `.html;
}

const navigation = ({tags, components}: ApiDocument, of: (tag: string) => readonly Entry[]): Html =>
  fragment`<nav>
        <input
          type="search"
          placeholder="Search  ( / )"
          aria-label="Search methods and schemas"
          hidden
        />
        ${tags.map(
          ({name}) =>
            fragment`<section>
              <h2><a href="#tag-${name}">${name}</a></h2>
              <ul>
                ${of(name).map(link)}
              </ul>
            </section> `,
        )}
        <section>
          <h2><a href="#schemas">Schemas</a></h2>
          <ul>
            ${Object.keys(components.schemas).map(
              name =>
                fragment`<li data-text="${name.toLowerCase()}">
                  <a href="#schema-${name}">${name}</a>
                </li> `,
            )}
          </ul>
        </section>
      </nav>`;

const searchText = ({path, verb, operation}: Entry) =>
  [verb, path, operation.summary, operation.description, operation['x-muster-rpc']]
    .join(' ')
    .toLowerCase();

const badge = (verb: string) => fragment`<b class="verb ${verb}">${verb.toUpperCase()}</b>`;

const link = (entry: Entry) =>
  fragment`<li data-text="${searchText(entry)}">
    <a href="#${entry.operation.operationId}">${badge(entry.verb)} ${entry.operation.summary}</a>
  </li> `;

function article(entry: Entry): Html {
  const {path, verb, operation} = entry;
  const {parameters, requestBody, responses} = operation;
  return fragment`<details data-text="${searchText(entry)}">
    <summary>${badge(verb)} <code>${path}</code> <span>${operation.summary}</span></summary>
    <div id="${operation.operationId}">
      ${prose(operation.description)}
      <p class="quiet">RPC <code>${operation['x-muster-rpc']}</code></p>
      <pre>${curl(entry)}</pre>
      ${
        parameters.length > 0
          ? fragment`<h3>Parameters</h3>
              ${table(
                parameters.map(parameter => ({
                  ...parameter,
                  required: parameter.required ?? false,
                  note: parameter.in,
                  description: parameter.description,
                })),
              )}`
          : undefined
      }
      ${
        requestBody
          ? fragment`<h3>Body${requestBody.required ? '' : ' (may be empty)'}</h3>
              ${contentOf(requestBody.content)}`
          : undefined
      }
      <h3>Answer</h3>
      ${prose(responses['200']?.description)}${contentOf(responses['200']?.content ?? {})}
    </div>
  </details> `;
}

/** One line for each media type; an object that has no name of its own is told right here. */
const contentOf = (content: Content): Html =>
  joined(
    Object.entries(content).map(
      ([type, {schema}]) =>
        fragment`<p><code>${type}</code> ${schema.properties ? undefined : typeOf(schema)}</p>
          ${schema.properties ? fieldRows(schema) : undefined}`,
    ),
  );

/** Ready to paste once MUSTER and TOKEN are set. */
function curl({path, verb, operation}: Entry): string {
  const token = operation.security.length > 0 ? ' -H "Authorization: Bearer $TOKEN"' : '';
  const method = verb === 'get' ? '' : ` -X ${verb.toUpperCase()}`;
  const body = operation.requestBody ? " -d '{…}'" : '';
  return `curl${method}${token}${body} "$MUSTER${path}"`;
}

const schemaArticle = (name: string, schema: PageSchema): Html =>
  fragment`<details data-text="${name.toLowerCase()}">
    <summary><code>${name}</code></summary>
    <div id="schema-${name}">
      ${prose(schema.description)}${
        schema.type === 'object'
          ? fieldRows(schema)
          : fragment`<p>${typeOf(schema)}${limitsOf(schema)}</p>`
      }
    </div>
  </details> `;
