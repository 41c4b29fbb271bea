import {create, fromJson, type JsonObject, type JsonValue, toJson} from '@bufbuild/protobuf';
import {timestampFromDate, ValueSchema} from '@bufbuild/protobuf/wkt';
import type {MachineTemplate as MachineTemplateMessage} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {
  type Template as TemplateMessage,
  type Template_Parameter,
  Template_Parameter_Type,
  Template_ParameterSchema,
  TemplateSchema,
} from '@muster/proto/gen/muster/v1/templates_pb.ts';
import type {NamedContent} from '../domain/templates.ts';
import type {
  MachineTemplate,
  ParameterType,
  ParameterValue,
  Template,
  TemplateParameter,
} from '../store/templates.ts';
import {requireEnum} from './image-messages.ts';
import {required} from './required.ts';
import {storable} from './storable.ts';

const types: Readonly<Record<ParameterType, Template_Parameter_Type>> = {
  string: Template_Parameter_Type.STRING,
  integer: Template_Parameter_Type.INTEGER,
  boolean: Template_Parameter_Type.BOOLEAN,
  string_list: Template_Parameter_Type.STRING_LIST,
};

export function toTemplateMessage(template: Template): TemplateMessage {
  const {createTime, parameters, ...same} = template;
  return create(TemplateSchema, {
    ...same,
    parameters: parameters.map(toParameterMessage),
    createTime: timestampFromDate(createTime),
  });
}

/** What is the server's own (version, builtin, time) is not read. */
export function fromTemplateMessage(message: TemplateMessage | undefined): NamedContent {
  const {name, description, nixosModule, parameters} = required(message, 'a template');
  return {
    name,
    description: storable(description, 'description'),
    nixosModule: storable(nixosModule, 'nixos_module'),
    parameters: parameters.map(fromParameterMessage),
  };
}

function toParameterMessage(parameter: TemplateParameter): Template_Parameter {
  const {defaultValue, minimum, maximum, ...same} = parameter;
  return create(Template_ParameterSchema, {
    ...same,
    type: types[parameter.type],
    allowedValues: [...parameter.allowedValues],
    ...(defaultValue === null
      ? {}
      : {defaultValue: fromJson(ValueSchema, structuredClone(defaultValue) as JsonValue)}),
    ...(minimum === null ? {} : {minimum: BigInt(minimum)}),
    ...(maximum === null ? {} : {maximum: BigInt(maximum)}),
  });
}

function fromParameterMessage(message: Template_Parameter): TemplateParameter {
  const {name, description, allowedValues, pattern, defaultValue, minimum, maximum} = message;
  const value = defaultValue ? toJson(ValueSchema, defaultValue) : null;
  return {
    name,
    type: requireEnum(types, message.type, `the type of parameter "${name}"`),
    description: storable(description, `description of "${name}"`),
    // Its type is judged by the domain, as that of every given value.
    defaultValue: value as ParameterValue | null,
    allowedValues: allowedValues.map(item => storable(item, `allowed_values of "${name}"`)),
    pattern: storable(pattern, `pattern of "${name}"`),
    minimum: minimum === undefined ? null : Number(minimum),
    maximum: maximum === undefined ? null : Number(maximum),
  };
}

export const toMachineTemplateMessage = ({name, version, parameters}: MachineTemplate) => ({
  name,
  version,
  // Copied: what was stored is JSON.
  parameters: structuredClone(parameters) as JsonObject,
});

export const fromMachineTemplateMessage = ({
  name,
  version,
  parameters,
}: MachineTemplateMessage): MachineTemplate => ({name, version, parameters: parameters ?? {}});
