import {useId} from 'react';
import './form-parts.css';

export type RadioCard<Value extends string> = {
  readonly value: Value;
  readonly label: string;
  readonly note: string;
};

/** One of a few, each with what it means. */
export function RadioCards<Value extends string>({
  label,
  value,
  onChange,
  options,
}: {
  readonly label: string;
  readonly value: Value;
  readonly onChange: (value: Value) => void;
  readonly options: readonly RadioCard<Value>[];
}) {
  const name = useId();
  return (
    <fieldset className="form-part">
      <legend>{label}</legend>
      <div className="radio-cards">
        {options.map(option => (
          <label key={option.value} className="radio-card">
            <input
              type="radio"
              name={name}
              checked={option.value === value}
              onChange={() => onChange(option.value)}
            />
            <span>
              {option.label}
              <small>{option.note}</small>
            </span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
