import {Button, IconButton} from '../../ui/Button.tsx';
import type {HeaderDraft} from './webhook-draft.ts';
import './webhooks.css';

const headersMax = 16;

type HeaderFieldsProps = {
  readonly headers: readonly HeaderDraft[];
  readonly onChange: (headers: readonly HeaderDraft[]) => void;
};

/** For receivers that want a token of their own. The server never shows values again: an empty one keeps what is there. */
export function HeaderFields({headers, onChange}: HeaderFieldsProps) {
  const set = (at: number, part: Partial<HeaderDraft>) =>
    onChange(headers.map((header, index) => (index === at ? {...header, ...part} : header)));
  return (
    <fieldset className="webhook-headers">
      <legend>Headers with secrets of the receiver</legend>
      {headers.map((header, index) => (
        <div key={index}>
          <input
            className="input mono"
            aria-label={`Name of header ${index + 1}`}
            placeholder="authorization"
            pattern="[A-Za-z0-9\-]{1,64}"
            autoComplete="off"
            readOnly={header.isKept}
            value={header.name}
            onChange={event => set(index, {name: event.target.value})}
          />
          <input
            className="input"
            type="password"
            aria-label={`Value of header ${index + 1}`}
            placeholder={header.isKept ? 'kept; type to replace it' : 'value'}
            autoComplete="off"
            value={header.value}
            onChange={event => set(index, {value: event.target.value})}
          />
          <IconButton
            icon="close"
            label={`Remove header ${index + 1}`}
            onClick={() => onChange(headers.filter((_, at) => at !== index))}
          />
        </div>
      ))}
      <Button
        icon="plus"
        disabledReason={headers.length >= headersMax ? `At most ${headersMax}` : undefined}
        onClick={() => onChange([...headers, {name: '', value: '', isKept: false}])}
      >
        Add a header
      </Button>
    </fieldset>
  );
}
