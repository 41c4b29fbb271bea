import {
  type DescMessage,
  type DescMethod,
  getOption,
  hasOption,
  type Message,
} from '@bufbuild/protobuf';
import {http} from '@muster/proto/gen/google/api/annotations_pb.ts';
import {audit, AuditRule, permission} from '@muster/proto/gen/muster/v1/options_pb.ts';

/** What the method's (audit) option says, else its REST route; `undefined` when neither does, which a test finds. */
export function declaredAuditRule(method: DescMethod): AuditRule | undefined {
  const declared = hasOption(method, audit) ? getOption(method, audit) : AuditRule.UNSPECIFIED;
  if (declared !== AuditRule.UNSPECIFIED) return declared;
  if (!hasOption(method, http)) return undefined;
  return getOption(method, http).pattern.case === 'get' ? AuditRule.NONE : AuditRule.CALLS;
}

/** Of a method of ours that does not say, every call is kept; contracts that are not ours (health, reflection) only read. */
export function auditRuleOf(method: DescMethod): AuditRule {
  const otherwise = hasOption(method, permission) ? AuditRule.CALLS : AuditRule.NONE;
  return declaredAuditRule(method) ?? otherwise;
}

/** "machines/<id>": the last variable of the route and the word before it; else the id that the request names; else nothing. */
export function resourceOf(method: DescMethod, request: Message): string {
  const pattern = hasOption(method, http) ? getOption(method, http).pattern.value : undefined;
  const path = typeof pattern === 'string' ? pattern : '';
  const variable = [...path.matchAll(/([\w-]+)\/\{([\w.]+)\}/g)].at(-1);
  if (variable) return join(variable[1] ?? '', textAt(method.input, request, variable[2] ?? ''));

  for (const {name} of method.input.fields) {
    const noun = /^(\w+)_id$/.exec(name)?.[1];
    if (noun) return join(`${noun}s`, textAt(method.input, request, name));
  }
  return '';
}

const join = (collection: string, id: string): string => (id === '' ? '' : `${collection}/${id}`);

function textAt(schema: DescMessage, message: Message, path: string): string {
  let value: unknown = message;
  let scope: DescMessage | undefined = schema;
  for (const name of path.split('.')) {
    const field: DescMessage['fields'][number] | undefined = scope?.fields.find(
      candidate => candidate.name === name,
    );
    if (!scope || !field || value === undefined) return '';
    value = (value as Record<string, unknown>)[field.localName];
    scope = field.fieldKind === 'message' ? field.message : undefined;
  }
  return typeof value === 'string' ? value.slice(0, 256) : '';
}
