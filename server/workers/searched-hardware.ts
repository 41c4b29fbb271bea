import {toJson, type JsonValue} from '@bufbuild/protobuf';
import {type Hardware, HardwareSchema} from '@muster/proto/gen/muster/v1/hardware_pb.ts';
import {toDialect} from '../http/rest-json.ts';

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
  const shown = toDialect(HardwareSchema, toJson(HardwareSchema, hardware, options));
  const words = new Set<string>();
  const facts = simplify(shown, '', words);
  return {
    facts: JSON.stringify(facts ?? {}),
    words: [...words].join(' ').slice(0, wordsLengthMax),
  };
}

function simplify(value: JsonValue, field: string, words: Set<string>): JsonValue | undefined {
  if (typeof value === 'string') {
    const text = value
      .replaceAll('\0', '')
      .toWellFormed()
      .trim()
      .slice(0, textLengthMax)
      .toLowerCase();
    if (text === '' || text === 'unspecified') return undefined;
    if (wordFields.has(field)) words.add(text);
    return text;
  }
  if (Array.isArray(value)) {
    const items = value
      .map(item => simplify(item, field, words))
      .filter(item => item !== undefined);
    return items.length > 0 ? items : undefined;
  }
  if (typeof value !== 'object' || value === null) return value ?? undefined;
  const entries = Object.entries(value)
    .map(([name, item]) => [name, simplify(item, name, words)] as const)
    .filter(([, item]) => item !== undefined);
  return entries.length > 0 ? (Object.fromEntries(entries) as JsonValue) : undefined;
}
