import type {JsonObject, JsonValue} from '@bufbuild/protobuf';
import type {MachineTemplate} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {type Template, TemplateService} from '@muster/proto/gen/muster/v1/templates_pb.ts';
import {skipToken, useQuery} from '@connectrpc/connect-query';
import {Button, IconButton} from '../ui/Button.tsx';
import {SelectField} from './fields.tsx';
import {ParameterField} from './ParameterField.tsx';
import './form-parts.css';

export type TemplateUse = {
  readonly name: string;
  /** 0 follows the newest. */
  readonly version: number;
  readonly parameters: JsonObject;
};

export const templateUses = (templates: readonly MachineTemplate[]): readonly TemplateUse[] =>
  templates.map(({name, version, parameters = {}}) => ({name, version, parameters}));

type TemplatesFieldProps = {
  readonly uses: readonly TemplateUse[];
  readonly onChange: (uses: readonly TemplateUse[]) => void;
};

/** Templates in their order, each with its version and parameters. */
export function TemplatesField({uses, onChange}: TemplatesFieldProps) {
  const {data, error} = useQuery(TemplateService.method.listTemplates, {pageSize: 1000});
  const templates = data?.templates ?? [];
  const unused = templates.filter(({name}) => uses.every(use => use.name !== name));
  const replace = (index: number, ...items: readonly TemplateUse[]) =>
    onChange(uses.toSpliced(index, 1, ...items));
  return (
    <>
      {uses.map((use, index) => (
        <TemplateUseRow
          key={use.name}
          use={use}
          newest={templates.find(({name}) => name === use.name)}
          onChange={changed => replace(index, changed)}
          onRemove={() => replace(index)}
          onRaise={
            index === 0
              ? undefined
              : () => onChange(uses.toSpliced(index, 1).toSpliced(index - 1, 0, use))
          }
        />
      ))}
      <SelectField
        label="Add a template"
        value=""
        error={error ? `The templates cannot be read: ${error.rawMessage}` : undefined}
        disabled={unused.length === 0}
        choices={[
          {value: '', label: unused.length === 0 ? 'There is no other' : 'Choose …'},
          ...unused.map(({name, description}) => ({
            value: name,
            label: description ? `${name} – ${description}` : name,
          })),
        ]}
        onChange={({target}) =>
          target.value !== '' &&
          onChange([...uses, {name: target.value, version: 0, parameters: {}}])
        }
      />
    </>
  );
}

type RowProps = {
  readonly use: TemplateUse;
  readonly newest: Template | undefined;
  readonly onChange: (use: TemplateUse) => void;
  readonly onRemove: () => void;
  readonly onRaise: (() => void) | undefined;
};

function TemplateUseRow({use, newest, onChange, onRemove, onRaise}: RowProps) {
  const {name, version} = use;
  const isOld = version !== 0 && version !== newest?.version;
  const {data} = useQuery(TemplateService.method.getTemplate, isOld ? {name, version} : skipToken, {
    staleTime: Infinity,
  });
  const parameters = (isOld ? data?.template : newest)?.parameters ?? [];
  const setParameter = (key: string, value: JsonValue | undefined) => {
    const {[key]: _, ...others} = use.parameters;
    onChange({...use, parameters: value === undefined ? others : {...others, [key]: value}});
  };
  return (
    <div className="template-use" role="group" aria-label={`Template ${name}`}>
      <div className="template-use-head">
        <strong className="mono">{name}</strong>
        <SelectField
          label={`Version of ${name}`}
          value={String(version)}
          choices={versionChoices(version, newest?.version ?? version)}
          onChange={({target}) => onChange({...use, version: Number(target.value)})}
        />
        {onRaise && <IconButton icon="up" label={`Put ${name} before`} onClick={onRaise} />}
        <Button kind="quiet" icon="close" onClick={onRemove}>
          Take away
        </Button>
      </div>
      {parameters.length > 0 && (
        <div className="field-columns">
          {parameters.map(parameter => (
            <ParameterField
              key={parameter.name}
              parameter={parameter}
              value={use.parameters[parameter.name]}
              onChange={value => setParameter(parameter.name, value)}
            />
          ))}
        </div>
      )}
    </div>
  );
}

/** The newest ones are what people choose; an older one that is in use stays to be chosen. */
const versionsShown = 20;
function versionChoices(version: number, newest: number) {
  const recent = Array.from(
    {length: Math.min(newest, versionsShown)},
    (_, index) => newest - index,
  );
  const all = version === 0 || recent.includes(version) ? recent : [...recent, version];
  return [
    {value: '0', label: newest > 0 ? `Follow the newest (${newest})` : 'Follow the newest'},
    ...all.map(each => ({value: String(each), label: `Only ${each}`})),
  ];
}
