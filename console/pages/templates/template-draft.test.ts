import {create} from '@bufbuild/protobuf';
import {
  Template_Parameter_Type as Type,
  TemplateSchema,
} from '@muster/proto/gen/muster/v1/templates_pb.ts';
import test from 'ava';
import {
  draftOfTemplate,
  newParameter,
  parameterMistakes,
  templateOfDraft,
  templateText,
} from './template-draft.ts';

const web = create(TemplateSchema, {
  name: 'web',
  nixosModule: 'parameters: {...}: {}',
  parameters: [
    {
      name: 'port',
      type: Type.INTEGER,
      defaultValue: {kind: {case: 'numberValue', value: 80}},
      minimum: 1n,
      maximum: 65_535n,
    },
    {
      name: 'hosts',
      type: Type.STRING_LIST,
      pattern: '[a-z]+',
      defaultValue: {
        kind: {
          case: 'listValue',
          value: {values: [{kind: {case: 'stringValue', value: 'a'}}]},
        },
      },
    },
    {name: 'key', type: Type.STRING, allowedValues: ['x', 'y']},
  ],
});

test('what is not touched is sent as it was', t => {
  t.deepEqual(create(TemplateSchema, templateOfDraft(draftOfTemplate(web))), web);
});

test('a parameter is named once, and numbers are numbers', t => {
  const one = {...newParameter('1'), name: 'port'};
  const two = {...newParameter('2'), name: 'port', type: Type.INTEGER, standard: 'x'};
  t.like(parameterMistakes(two, [one, two]), {
    name: 'Another parameter is called so',
    standard: 'A whole number',
  });
  t.is(parameterMistakes(one, [one]).name, undefined);
});

test('a version reads as lines, its parameters with it', t => {
  t.is(
    templateText(web),
    [
      '# parameter port: whole number, default 80, 1 to 65535',
      '# parameter hosts: texts, default ["a"], like [a-z]+',
      '# parameter key: text, has to be given, one of x, y',
      'parameters: {...}: {}',
    ].join('\n'),
  );
});
