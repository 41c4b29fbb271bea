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
  /** Values of the field that `onValuesOf` was told last: of ListMachineFacets, for instance. */
  readonly values?: readonly string[];
  /** Somebody types a value of this field; empty: of none. */
  readonly onValuesOf?: (field: string) => void;
  readonly placeholder: string;
  /** What the server said to this filter. */
  readonly error?: ConnectError | null | undefined;
};

/** Speaks the filter language of the API (docs/search.md). Applied by Enter, so that half a condition is never sent. */
export function FilterBar(props: FilterBarProps) {
  const {value, onChange, fields, values = [], onValuesOf, placeholder, error} = props;
  const [text, setText] = useState(value);
  const [caret, setCaret] = useState(value.length);
  // The address changes by the back button, too.
  useEffect(() => setText(value), [value]);

  const completion = completeFilter(text, caret, fields, values);
  const {valuesOf = ''} = completion;
  useEffect(() => onValuesOf?.(valuesOf), [onValuesOf, valuesOf]);

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
        caret={caret}
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
