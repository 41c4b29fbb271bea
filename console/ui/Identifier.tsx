import {CopyButton} from './CopyButton.tsx';
import './identifier.css';

/** An id or digest: as much of it as one compares by eye, the whole of it to copy. */
export function Identifier({
  id,
  what,
  characters = 8,
}: {
  readonly id: string;
  readonly what: string;
  readonly characters?: number;
}) {
  if (id === '') return <span className="muted">–</span>;
  return (
    <span className="identifier">
      <span className="mono" title={id}>
        {id.slice(0, characters)}
      </span>
      <CopyButton text={id} what={what} />
    </span>
  );
}
