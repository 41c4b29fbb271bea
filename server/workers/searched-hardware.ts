import {
  type DescEnum,
  type DescField,
  type DescMessage,
  type JsonObject,
  type JsonValue,
  ScalarType,
  toJson,
} from '@bufbuild/protobuf';
import {type Hardware, HardwareSchema} from '@muster/proto/gen/muster/v1/hardware_pb.ts';
import {fieldToDialect, lowerName} from '../http/rest-json.ts';

const wordsLengthMax = 16_384;
const textLengthMax = 256;

/** What people type to find a machine by a part of it. */
const wordFields: ReadonlySet<string> = new Set([
  'asset_tag',
  'ip_address',
  'ip_addresses',
  'mac_address',
  'model',
  'part_number',
  'permanent_mac_address',
  'product',
  'serial',
  'sku',
  'system_name',
  'wwn',
]);

/** An inventory for searching: as REST shows it, but with texts in lower case and without empty ones. */
export function searchedHardware(hardware: Hardware): {
  readonly facts: string;
  readonly words: string;
} {
  const options = {useProtoFieldName: true, alwaysEmitImplicit: true} as const;
  const words = new Set<string>();
  const facts = simplify(toJson(HardwareSchema, hardware, options), HardwareSchema, words);
  return {
    facts: JSON.stringify(facts ?? {}),
    words: [...words].join(' ').slice(0, wordsLengthMax),
  };
}

/** One pass over a thousand values: with REST's own conversion first it took thrice the time. */
function simplify(
  value: JsonValue,
  message: DescMessage,
  words: Set<string>,
): JsonObject | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const fields = fieldsOf(message);
  const simple: JsonObject = {};
  let isEmpty = true;
  for (const [name, shown] of Object.entries(value)) {
    const field = fields.get(name);
    const item = field && simplifyField(shown, field, words);
    if (item === undefined) continue;
    simple[name] = item;
    isEmpty = false;
  }
  return isEmpty ? undefined : simple;
}

function simplifyField(
  value: JsonValue,
  field: DescField,
  words: Set<string>,
): JsonValue | undefined {
  if (!Array.isArray(value)) return simplifyItem(value, field, words);
  const items: JsonValue[] = [];
  for (const one of value) {
    const item = simplifyItem(one, field, words);
    if (item !== undefined) items.push(item);
  }
  return items.length > 0 ? items : undefined;
}

function simplifyItem(
  value: JsonValue,
  field: DescField,
  words: Set<string>,
): JsonValue | undefined {
  if (field.message) return simplify(value, field.message, words);
  if (typeof value !== 'string') return value ?? undefined;
  if (field.enum) return enumValues(field.enum).get(value);
  const shown = field.scalar === ScalarType.STRING ? value : fieldToDialect(field, value);
  if (typeof shown !== 'string') return shown;
  const text = plainText(shown);
  if (text === '' || text === 'unspecified') return undefined;
  if (wordFields.has(field.name)) words.add(text);
  return text;
}

/** What nearly every text of an inventory is: nothing in it is to be changed but its case. */
const ordinary = /^[!-~](?:[ -~]{0,254}[!-~])?$/;

function plainText(text: string): string {
  if (ordinary.test(text)) return text.toLowerCase();
  return text.replaceAll('\0', '').toWellFormed().trim().slice(0, textLengthMax).toLowerCase();
}

/** By their names in the contract. */
const fieldsOfMessages = new Map<DescMessage, ReadonlyMap<string, DescField>>();

function fieldsOf(message: DescMessage): ReadonlyMap<string, DescField> {
  const known = fieldsOfMessages.get(message);
  if (known) return known;
  const made = new Map(message.fields.map(field => [field.name, field]));
  fieldsOfMessages.set(message, made);
  return made;
}

/** As REST says them; without the one that says nothing. */
const valuesOfEnums = new Map<DescEnum, ReadonlyMap<string, string>>();

function enumValues(desc: DescEnum): ReadonlyMap<string, string> {
  const known = valuesOfEnums.get(desc);
  if (known) return known;
  const told = desc.values.map(({name}) => [name, lowerName(desc, name)] as const);
  const made = new Map(told.filter(([, text]) => text !== 'unspecified'));
  valuesOfEnums.set(desc, made);
  return made;
}
