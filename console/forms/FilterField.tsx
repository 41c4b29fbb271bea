import {MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {skipToken, useQuery} from '@connectrpc/connect-query';
import {type ReactNode, useId, useState} from 'react';
import {
  applyOption,
  completeFilter,
  type FilterField as Known,
} from '../table/filter-completion.ts';
import {Icon} from '../ui/icons.tsx';
import {Combobox, type Option} from './Combobox.tsx';
import {Mistake} from './fields.tsx';

const noFields: readonly Known[] = [];

type FilterFieldProps = {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly placeholder: string;
  readonly hint?: ReactNode;
  /** What the server said to it. */
  readonly error?: string | undefined;
};

/** A filter as a part of a form: completion as in the bar above lists, and values of the fleet as it is. */
export function FilterField(props: FilterFieldProps) {
  const {label, value, onChange, placeholder, hint, error} = props;
  const id = useId();
  const [caret, setCaret] = useState(value.length);
  const fields =
    useQuery(MachineService.method.listMachineFields, {}, {staleTime: Infinity}).data?.fields ??
    noFields;

  const first = completeFilter(value, caret, fields);
  const values = useFieldValues(first.valuesOf, fields);
  const completion = values.length > 0 ? completeFilter(value, caret, fields, values) : first;
  const pick = (option: Option) => {
    const next = applyOption(value, completion, option);
    onChange(next.text);
    setCaret(next.caret);
  };
  return (
    <div className="field filter-field">
      <label htmlFor={id}>{label}</label>
      <Combobox
        id={id}
        label={label}
        value={value}
        onChange={onChange}
        onCaret={setCaret}
        options={completion.options}
        onPick={pick}
        placeholder={placeholder}
        invalid={error !== undefined}
        before={<Icon name="filter" />}
      />
      {hint && <div className="hint">{hint}</div>}
      <Mistake text={error} role="alert" />
    </div>
  );
}

function useFieldValues(name: string | undefined, fields: readonly Known[]): readonly string[] {
  const isKnown = fields.some(
    field => field.name === name || (name?.startsWith('labels.') && field.name === 'labels'),
  );
  const {data} = useQuery(
    MachineService.method.listMachineFacets,
    name === undefined || !isKnown ? skipToken : {fields: [name]},
    // Fields without facets are refused: no values, no harm.
    {retry: false, staleTime: 60_000},
  );
  return data?.facets[0]?.values.map(({value}) => value) ?? [];
}
