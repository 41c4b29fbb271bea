import {Code, type ConnectError} from '@connectrpc/connect';
import {useEffect, useState} from 'react';
import {Combobox, type Option} from '../forms/Combobox.tsx';
import {Button, IconButton} from '../ui/Button.tsx';
import {Icon} from '../ui/icons.tsx';
import {applyOption, completeFilter, type FilterField} from './filter-completion.ts';

type FilterBarProps = {
  readonly value: string;
  readonly onChange: (filter: string) => void;
  readonly fields: readonly FilterField[];
  /** Values that a field has, of ListMachineFacets for instance; asked for while somebody types one. */
  readonly valuesOf?: (field: string) => readonly string[];
  readonly placeholder: string;
  /** What the server said to this filter. */
  readonly error?: ConnectError | null | undefined;
};

/** Speaks the filter language of the API (docs/search.md). Applied by Enter, so that half a condition is never sent. */
export function FilterBar(props: FilterBarProps) {
  const {value, onChange, fields, valuesOf, placeholder, error} = props;
  const [text, setText] = useState(value);
  const [caret, setCaret] = useState(value.length);
  // The address changes by the back button, too.
  useEffect(() => setText(value), [value]);

  const first = completeFilter(text, caret, fields);
  const values = first.valuesOf === undefined ? [] : (valuesOf?.(first.valuesOf) ?? []);
  const completion = values.length > 0 ? completeFilter(text, caret, fields, values) : first;

  const pick = (option: Option) => {
    const next = applyOption(text, completion, option);
    setText(next.text);
    setCaret(next.caret);
  };
  const isRefused = error?.code === Code.InvalidArgument && text === value;
  return (
    <div className="filter-bar" data-page-filter>
      <Combobox
        label="Filter"
        value={text}
        onChange={setText}
        onCaret={setCaret}
        options={completion.options}
        onPick={pick}
        onSubmit={() => onChange(text.trim())}
        placeholder={placeholder}
        invalid={isRefused}
        before={<Icon name="filter" />}
      />
      {text.trim() !== value && (
        <Button kind="primary" onClick={() => onChange(text.trim())}>
          Apply
        </Button>
      )}
      {value !== '' && (
        <IconButton
          icon="close"
          label="Remove the filter"
          onClick={() => {
            setText('');
            onChange('');
          }}
        />
      )}
    </div>
  );
}
