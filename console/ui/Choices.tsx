import {formatCount} from './format.ts';
import './choices.css';

export type ChoiceItem<Value extends string> = {
  readonly value: Value;
  readonly label: string;
  readonly count?: number | undefined;
};

type ChoicesProps<Value extends string> = {
  readonly label: string;
  readonly items: readonly ChoiceItem<Value>[];
  /** Undefined: none of these. */
  readonly value: Value | undefined;
  readonly onChange: (value: Value) => void;
};

/** One of a few, all of them in sight: for filters of lists. */
export function Choices<Value extends string>(props: ChoicesProps<Value>) {
  const {label, items, value, onChange} = props;
  return (
    <div className="choices" role="group" aria-label={label}>
      {items.map(item => (
        <button
          key={item.value}
          type="button"
          aria-pressed={item.value === value}
          onClick={() => onChange(item.value)}
        >
          {item.label}
          {item.count !== undefined && (
            <span className="choice-count">{formatCount(item.count)}</span>
          )}
        </button>
      ))}
    </div>
  );
}
