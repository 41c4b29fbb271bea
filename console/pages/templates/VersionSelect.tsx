import {useNavigate} from '@tanstack/react-router';
import {useId} from 'react';

type Search = {
  readonly template: string;
  readonly version?: string | undefined;
  readonly against?: string | undefined;
  readonly tab?: string | undefined;
};

/** Versions from the newest to the first. The address keeps the choice; the newest needs none. */
export function VersionSelect({
  label,
  newest,
  version,
  search,
}: {
  readonly label: string;
  readonly newest: number;
  readonly version: number;
  readonly search: (version: string | undefined) => Search;
}) {
  const navigate = useNavigate();
  const id = useId();
  return (
    <span className="version-select">
      <label htmlFor={id}>{label}</label>
      <select
        id={id}
        className="input"
        value={String(version)}
        onChange={({target}) =>
          void navigate({to: '/templates', search: search(target.value), resetScroll: false})
        }
      >
        {Array.from({length: newest}, (_, index) => newest - index).map(each => (
          <option key={each} value={String(each)}>
            {each === newest ? `${each} (newest)` : each}
          </option>
        ))}
      </select>
    </span>
  );
}
