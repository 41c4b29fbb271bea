import type {JsonObject} from '@bufbuild/protobuf';
import {listChanges, masked} from './changes.ts';
import './audit.css';

type ChangesProps = {
  readonly before: JsonObject | undefined;
  readonly after: JsonObject | undefined;
};

/** Before above after, for each field; removed and added are told by sign and word, not by colour alone. */
export function Changes({before, after}: ChangesProps) {
  const changes = listChanges(before, after);
  if (changes.length === 0) return <p className="muted">No field differs.</p>;
  return (
    <dl className="changes">
      {changes.map(({field, before, after}) => (
        <div key={field}>
          <dt className="mono">{field}</dt>
          {before !== undefined && (
            <dd className="tone-bad">
              <span className="change-sign" aria-label="before">
                −
              </span>
              <Value text={before} />
            </dd>
          )}
          {after !== undefined && (
            <dd className="tone-ok">
              <span className="change-sign" aria-label="after">
                +
              </span>
              <Value text={after} />
            </dd>
          )}
        </div>
      ))}
    </dl>
  );
}

function Value({text}: {readonly text: string}) {
  if (text === masked)
    return (
      <span className="muted" title="Secrets are masked before an entry is written">
        secret, not kept
      </span>
    );
  return <span className="mono">{text === '' ? '""' : text}</span>;
}
