import '../forms/fields.css';
import './choices.css';

const spans = [
  {value: '', label: 'Any time'},
  {value: '1h', label: 'The last hour'},
  {value: '24h', label: 'The last 24 hours'},
  {value: '7d', label: 'The last 7 days'},
  {value: '30d', label: 'The last 30 days'},
] as const;

/** As the API takes it: a duration back from now, or a time. Anything else in an address is as if it were not there. */
export const sinceOf = (text: string | undefined): string =>
  /^([0-9]{1,6}[smhd]|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{8,18}Z)$/.test(text ?? '')
    ? (text ?? '')
    : '';

/** From when on a list shows things. */
export function SinceChoice({
  value,
  onChange,
}: {
  readonly value: string;
  readonly onChange: (since: string | undefined) => void;
}) {
  const isOther = !spans.some(span => span.value === value);
  return (
    <select
      className="input since"
      aria-label="Since when"
      value={value}
      onChange={({target}) => onChange(target.value || undefined)}
    >
      {spans.map(span => (
        <option key={span.value} value={span.value}>
          {span.label}
        </option>
      ))}
      {isOther && <option value={value}>Since {value}</option>}
    </select>
  );
}
