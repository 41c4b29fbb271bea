import {
  type DescriptorProto,
  type EnumDescriptorProto,
  type FieldDescriptorProto,
  FieldDescriptorProto_Type,
} from '@bufbuild/protobuf/wkt';
import {file_buf_validate_validate as file} from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js';

// Indexed by google.protobuf.FieldDescriptorProto.Type.
const scalars = [
  '',
  'double',
  'float',
  'int64',
  'uint64',
  'int32',
  'fixed64',
  'fixed32',
  'bool',
  'string',
  'group',
  '',
  'bytes',
  'uint32',
  '',
  'sfixed32',
  'sfixed64',
  'sint32',
  'sint64',
];
const labels = ['', 'optional', 'required', 'repeated'];
const fieldNumberMax = 536_870_912;

/**
 * The source of buf/validate/validate.proto, printed from the descriptor that @bufbuild/protovalidate embeds.
 * No npm package ships the file itself, and buf shall work without a schema registry.
 */
export function printValidateProto(): string {
  const {proto} = file;
  const lines = [`syntax = "${proto.syntax || 'proto2'}";`, `package ${proto.package};`];
  for (const dependency of proto.dependency) lines.push(`import "${dependency}";`);
  for (const item of proto.enumType) lines.push(...printEnum(item, ''));
  for (const item of proto.messageType) lines.push(...printMessage(item, ''));
  for (const item of proto.extension) lines.push(`extend ${item.extendee} { ${printField(item)} }`);
  return `${lines.join('\n')}\n`;
}

const typeOf = (field: FieldDescriptorProto): string =>
  field.type === FieldDescriptorProto_Type.MESSAGE || field.type === FieldDescriptorProto_Type.ENUM
    ? field.typeName
    : (scalars[field.type] ?? '');

const printField = (field: FieldDescriptorProto): string =>
  `${labels[field.label]} ${typeOf(field)} ${field.name} = ${field.number};`;

const printEnum = (item: EnumDescriptorProto, indent: string): string[] => [
  `${indent}enum ${item.name} {`,
  ...item.value.map(value => `${indent}  ${value.name} = ${value.number};`),
  `${indent}}`,
];

function printMessage(message: DescriptorProto, indent: string): string[] {
  const inner = `${indent}  `;
  const lines = [`${indent}message ${message.name} {`];
  for (const item of message.enumType) lines.push(...printEnum(item, inner));
  for (const item of message.nestedType)
    if (!item.options?.mapEntry) lines.push(...printMessage(item, inner));

  const members = new Map<number, FieldDescriptorProto[]>();
  for (const field of message.field) {
    if (Object.hasOwn(field, 'oneofIndex') && !field.proto3Optional)
      members.set(field.oneofIndex, [...(members.get(field.oneofIndex) ?? []), field]);
    else lines.push(`${inner}${printField(field)}`);
  }
  for (const [index, fields] of members) {
    lines.push(`${inner}oneof ${message.oneofDecl[index]?.name} {`);
    for (const field of fields)
      lines.push(`${inner}  ${typeOf(field)} ${field.name} = ${field.number};`);
    lines.push(`${inner}}`);
  }

  for (const range of message.extensionRange)
    lines.push(
      `${inner}extensions ${range.start} to ${range.end >= fieldNumberMax ? 'max' : range.end - 1};`,
    );
  for (const item of message.extension)
    lines.push(`${inner}extend ${item.extendee} { ${printField(item)} }`);
  lines.push(`${indent}}`);
  return lines;
}
