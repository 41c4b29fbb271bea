import {create} from '@bufbuild/protobuf';
import {createValidator} from '@bufbuild/protovalidate';
import {type Machine, MachineSchema} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {parseMacAddress, parseSerial, parseUuid, printable} from '../domain/identifiers.ts';
import type {ImportProblem} from '../domain/machine-imports.ts';
import {type CsvLine, readCsvLines} from './csv-lines.ts';

/** While they are registered nobody enrols: a second or two. */
const rowsMax = 2000;
const problemsMax = 1000;

/** A line as a machine of the contract, with its field rules kept. */
export type CsvMachine = {
  readonly line: number;
  readonly machine: Machine;
  readonly groups: readonly string[];
};

export type CsvMachines = {
  readonly rowCount: number;
  readonly rows: readonly CsvMachine[];
  readonly problems: readonly ImportProblem[];
};

type TextField = 'serviceTag' | 'uuid' | 'hostname' | 'description' | 'notes';
type Cells = {
  fields: Readonly<Partial<Pick<Machine, TextField>>> & {
    readonly macAddresses?: string[];
    readonly templates?: {name: string; version: number}[];
  };
  readonly labels: Record<string, string>;
  groups: readonly string[];
};
type Wrong = Omit<ImportProblem, 'line' | 'column'>;
/** Puts a cell that is not empty into the machine, or says what is wrong with it. */
type Read = (cells: Cells, text: string) => Wrong | undefined;

const field =
  (name: TextField): Read =>
  (cells, text) => {
    cells.fields = {...cells.fields, [name]: text};
    return undefined;
  };

const junk = (what: string, text: string): Wrong => ({
  problem: `"${printable(text, 64)}" is no ${what} that tells one machine from others`,
  remedy: `Correct it, or leave it empty and give another identifier`,
});

const serial: Read = (cells, text) => {
  if (!parseSerial(text)) return junk('serial number', text);
  cells.fields = {...cells.fields, serviceTag: text};
  return undefined;
};

const macs: Read = (cells, text) => {
  const items = listOf(text);
  const bad = items.find(item => !parseMacAddress(item));
  if (bad !== undefined)
    return {
      problem: `"${printable(bad, 64)}" is no MAC address`,
      remedy: 'Write MAC addresses as 52:54:00:aa:00:01, several with spaces or ; between them',
    };
  cells.fields = {...cells.fields, macAddresses: [...(cells.fields.macAddresses ?? []), ...items]};
  return undefined;
};

const labels: Read = (cells, text) => {
  for (const item of listOf(text, /;/)) {
    const [, key, value = ''] = /^([^=]+)=([^]*)$/.exec(item) ?? [];
    if (key === undefined)
      return {
        problem: `"${printable(item, 64)}" is no label`,
        remedy: 'Write labels as KEY=VALUE, several with ; between them',
      };
    cells.labels[key.trim()] = value.trim();
  }
  return undefined;
};

const readers: Readonly<Record<string, Read>> = {
  serial,
  service_tag: serial,
  uuid: (cells, text) => {
    if (!parseUuid(text)) return junk('UUID', text);
    cells.fields = {...cells.fields, uuid: text};
    return undefined;
  },
  macs,
  mac: macs,
  mac_address: macs,
  mac_addresses: macs,
  hostname: field('hostname'),
  description: field('description'),
  notes: field('notes'),
  labels,
  groups: (cells, text) => {
    cells.groups = listOf(text, /;/);
    return undefined;
  },
  templates: (cells, text) => {
    const templates = listOf(text).map(item => {
      const [name = '', version = '0'] = item.split('@');
      return {name, version: Number(version) || 0};
    });
    cells.fields = {...cells.fields, templates};
    return undefined;
  },
};

const identifying: ReadonlySet<string> = new Set(
  'serial service_tag uuid macs mac mac_address mac_addresses'.split(' '),
);

const listOf = (text: string, separator = /[\s;|,]+/): readonly string[] =>
  text
    .split(separator)
    .map(item => item.trim())
    .filter(Boolean);

function readerOf(heading: string): Read | undefined {
  const key = /^label\.(.+)$/.exec(heading)?.[1];
  if (key === undefined) return readers[heading.toLowerCase()];
  return (cells, text) => {
    cells.labels[key] = text;
    return undefined;
  };
}

const validator = createValidator();

/** Every line that is well, and everything that is wrong with the others: at most a thousand problems. */
export function readMachineCsv(text: string): CsvMachines {
  const {lines, problems} = readCsvLines(text);
  const [headings, ...rest] = lines;
  if (!headings) return {rowCount: 0, rows: [], problems: [...problems, problemsOf.nothing]};
  const names = headings.cells.map(heading => heading.trim());
  const wrong = problemsOfHeadings(names).map(problem => ({...problem, line: headings.line}));
  if (wrong.length > 0) return {rowCount: rest.length, rows: [], problems: [...wrong, ...problems]};
  if (rest.length > rowsMax)
    return {rowCount: rest.length, rows: [], problems: [{...problemsOf.many, line: 1 + rowsMax}]};

  const rows: CsvMachine[] = [];
  const seen = new Map<string, number>();
  for (const {line, cells} of rest) {
    const found = readRow(names, {line, cells}, seen);
    if ('machine' in found) rows.push(found);
    else problems.push(...found.problems);
  }
  const sorted = problems.sort((a, b) => a.line - b.line).slice(0, problemsMax);
  return {rowCount: rest.length, rows, problems: sorted};
}

const problemsOf = {
  nothing: {
    line: 1,
    column: '',
    problem: 'There is no line of headings',
    remedy: 'Begin with a line such as serial,macs,hostname',
  },
  many: {
    column: '',
    problem: `There are more than ${rowsMax} lines`,
    remedy: 'Import the file in parts',
  },
} as const;

function problemsOfHeadings(names: readonly string[]): readonly Omit<ImportProblem, 'line'>[] {
  const unknown = names.filter(name => !readerOf(name));
  const twice = names.filter((name, index) => names.indexOf(name) !== index);
  const known = `${Object.keys(readers).join(', ')}, label.KEY`;
  return [
    ...unknown.map(column => ({
      column: printable(column, 64),
      problem: 'There is no such heading',
      remedy: `Use one of ${known}, or remove the column`,
    })),
    ...twice.map(column => ({
      column: printable(column, 64),
      problem: 'The heading stands there twice',
      remedy: 'Remove one of the columns',
    })),
    ...(names.some(name => identifying.has(name.toLowerCase()))
      ? []
      : [
          {
            column: '',
            problem: 'No column identifies a machine',
            remedy: 'Add a column serial, uuid or macs',
          },
        ]),
  ];
}

function readRow(
  names: readonly string[],
  {line, cells: texts}: CsvLine,
  seen: Map<string, number>,
): CsvMachine | {readonly problems: readonly ImportProblem[]} {
  const at = (column: string, wrong: Wrong): ImportProblem => ({line, column, ...wrong});
  if (texts.length !== names.length)
    return {
      problems: [
        at('', {
          problem: `It has ${texts.length} cells where there are ${names.length} headings`,
          remedy: 'Write one cell for each heading; an empty one is fine',
        }),
      ],
    };
  const cells: Cells = {fields: {}, labels: {}, groups: []};
  const problems: ImportProblem[] = [];
  for (const [index, name] of names.entries()) {
    const text = texts[index] ?? '';
    const wrong = text === '' ? undefined : readerOf(name)?.(cells, text);
    if (wrong) problems.push(at(name, wrong));
  }
  const machine = create(MachineSchema, {...cells.fields, labels: cells.labels});
  if (problems.length === 0) {
    problems.push(...problemsOfMachine(machine).map(({column, ...wrong}) => at(column, wrong)));
    problems.push(...repeated(machine, line, seen).map(wrong => at('', wrong)));
  }
  return problems.length > 0 ? {problems} : {line, machine, groups: cells.groups};
}

/** The rules of the contract. */
function problemsOfMachine(machine: Machine): readonly (Wrong & {readonly column: string})[] {
  const {serviceTag, uuid, macAddresses} = machine;
  if (!serviceTag && !uuid && macAddresses.length === 0)
    return [
      {
        column: '',
        problem: 'Nothing on the line identifies a machine',
        remedy: 'Give a serial number, a UUID or a MAC address',
      },
    ];
  const checked = validator.validate(MachineSchema, machine);
  if (checked.kind === 'valid') return [];
  if (checked.kind === 'error') throw checked.error;
  return checked.violations.map(({message, field: path}) => {
    const [first] = path;
    const column = first?.kind === 'field' ? first.name : '';
    return {column, problem: message, remedy: 'Correct the cell'};
  });
}

function repeated(machine: Machine, line: number, seen: Map<string, number>): readonly Wrong[] {
  const keys = [
    parseSerial(machine.serviceTag),
    parseUuid(machine.uuid),
    ...machine.macAddresses.map(parseMacAddress),
  ].filter(key => key !== undefined);
  const first = keys.find(key => seen.has(key));
  if (first !== undefined)
    return [
      {
        problem: `"${first}" stands on line ${seen.get(first)} already`,
        remedy: 'Join the two lines, or correct one of them',
      },
    ];
  for (const key of keys) seen.set(key, line);
  return [];
}
