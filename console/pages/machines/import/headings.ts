/** What the server makes of each column (docs/discovery.md, "Expected machines by CSV"). */
const meanings: Readonly<Record<string, string>> = {
  serial: 'Serial number: recognises the box',
  service_tag: 'Serial number: recognises the box',
  uuid: 'UUID of the board: recognises the box',
  macs: 'MACs, several with spaces: recognise the box',
  mac: 'MACs, several with spaces: recognise the box',
  mac_address: 'MACs, several with spaces: recognise the box',
  mac_addresses: 'MACs, several with spaces: recognise the box',
  hostname: 'Host name',
  description: 'Description',
  notes: 'Notes',
  groups: 'Groups, several with “;”',
  templates: 'Templates: NAME or NAME@VERSION',
  labels: 'Labels: KEY=VALUE, several with “;”',
};

/** Undefined: the server knows no such column. */
export function headingMeaning(heading: string): string | undefined {
  const key = /^label\.(.+)$/.exec(heading)?.[1];
  return key === undefined ? meanings[heading.toLowerCase()] : `Label “${key}”`;
}

const identifying = /^(serial|service_tag|uuid|macs?|mac_address(es)?)$/i;

export type RowWords = {
  /** What the box will be recognised and known by. */
  readonly machine: readonly string[];
  /** What it will have besides: "groups: web-servers". */
  readonly gets: readonly string[];
};

/** A line in words, by its headings. */
export function rowWords(
  headings: readonly string[],
  cells: readonly string[] | undefined,
): RowWords {
  const filled = headings.flatMap((heading, index) => {
    const cell = cells?.[index] ?? '';
    return cell === '' ? [] : [{heading, cell}];
  });
  const isName = ({heading}: {readonly heading: string}) =>
    identifying.test(heading) || heading.toLowerCase() === 'hostname';
  return {
    machine: filled.filter(isName).map(({cell}) => cell),
    gets: filled
      .filter(each => !isName(each) && headingMeaning(each.heading) !== undefined)
      .map(({heading, cell}) => `${heading.replace(/^label\./, 'label ')}: ${cell}`),
  };
}
