import {type MachineFacet, MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {useQuery} from '@connectrpc/connect-query';
import {keepPreviousData} from '@tanstack/react-query';
import {chosenValues, toggleValue} from '../../table/filter-terms.ts';
import {formatCount} from '../../ui/format.ts';

const fields: readonly (readonly [field: string, label: string])[] = [
  ['state', 'State'],
  ['workspace', 'Workspace'],
  ['labels.rack', 'Rack'],
  ['manufacturer', 'Maker'],
  ['product', 'Product'],
  ['hardware.firmware_mode', 'Firmware'],
];
const valuesMax = 8;

type MachineFacetsProps = {
  readonly filter: string;
  readonly onFilter: (filter: string) => void;
};

/** How many machines of the filter have which values; a click narrows the filter, another one widens it again. */
export function MachineFacets({filter, onFilter}: MachineFacetsProps) {
  const {data} = useQuery(
    MachineService.method.listMachineFacets,
    {filter, fields: fields.map(([field]) => field), valuesMax},
    {placeholderData: keepPreviousData, staleTime: 30_000},
  );
  const facets = new Map((data?.facets ?? []).map(facet => [facet.field, facet]));
  return (
    <aside className="facets" aria-label="Narrow down">
      {fields.map(([field, label]) => (
        <Facet
          key={field}
          field={field}
          label={label}
          facet={facets.get(field)}
          chosen={chosenValues(filter, field)}
          onToggle={value => onFilter(toggleValue(filter, field, value))}
        />
      ))}
    </aside>
  );
}

type FacetProps = {
  readonly field: string;
  readonly label: string;
  readonly facet: MachineFacet | undefined;
  readonly chosen: readonly string[];
  readonly onToggle: (value: string) => void;
};

function Facet({field, label, facet, chosen, onToggle}: FacetProps) {
  const counted = (facet?.values ?? [])
    .filter(({value}) => value !== '')
    // As filters are written; case does not count there.
    .map(({value, count}) => ({count, value: field === 'state' ? value.toUpperCase() : value}));
  // What is chosen stays, also when nothing has it any more.
  const others = chosen.filter(value => !counted.some(other => other.value === value));
  const values = [...counted, ...others.map(value => ({value, count: 0n}))];
  if (values.length === 0) return null;
  return (
    <>
      <h2>{label}</h2>
      {values.map(({value, count}) => (
        <button
          key={value}
          type="button"
          className="facet"
          aria-pressed={chosen.includes(value)}
          onClick={() => onToggle(value)}
        >
          <span title={value}>{wordOf(field, value)}</span>
          <span className="muted">{formatCount(count)}</span>
        </button>
      ))}
      {facet?.more && <p className="muted hint">and more</p>}
    </>
  );
}

/** ACTIVE → Active; what people wrote stays as it is. */
const wordOf = (field: string, value: string): string =>
  field === 'state' ? value.charAt(0) + value.slice(1).toLowerCase() : value;
