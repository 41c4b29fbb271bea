import {setImmediate} from 'node:timers/promises';
import {promisify} from 'node:util';
import {gzip} from 'node:zlib';
import type {FleetSnapshot, MeasuredMachine} from '../domain/fleet-metrics.ts';
import {deviceFamilies} from './device-families.ts';
import {
  type Family,
  fleetFamilies,
  type LabelledFamily,
  labelledFamilies,
  type Labels,
  machineFamilies,
  type MachineFamily,
  type Series,
} from './exposition-families.ts';
import {writeNumber} from './write-number.ts';

/** A page is given to every scrape of this long: who scrapes more often than that gains nothing. */
const pageAgeMsMax = 5000;
/** Written at a stretch; look-ups of others go between. */
const pieceBytes = 64 * 1024;
const machinesAtAStretch = 1000;
/** "} ", the longest number of JavaScript, and the end of the line. */
const valueBytesMax = 32;
const [closingBrace, space, lineFeed] = [0x7d, 0x20, 0x0a];
const gzipLevel = 1;

export const formats = {
  text: 'text/plain; version=0.0.4; charset=utf-8',
  openMetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
} as const;
export type Format = keyof typeof formats;

type Section = {readonly family: Family; readonly lines: readonly Buffer[]};

type Page = {
  readonly startedMs: number;
  readonly sections: Promise<readonly Section[]>;
  /** By format and encoding, made when first asked for. */
  readonly bodies: Map<string, Promise<Buffer>>;
};

export type Exposition = ReturnType<typeof createExposition>;

/** The fleet as Prometheus reads it: gathered and rendered once for all scrapes of some seconds, however many come at once. */
export function createExposition({
  snapshot,
  ageMsMax = pageAgeMsMax,
  nowMs = () => performance.now(),
}: {
  readonly snapshot: () => Promise<FleetSnapshot>;
  readonly ageMsMax?: number;
  readonly nowMs?: () => number;
}) {
  const lines = createLineWriter();
  let page: Page | undefined;

  function currentPage(): Page {
    const startedMs = nowMs();
    if (page && startedMs - page.startedMs < ageMsMax) return page;
    const sections = snapshot().then(lines.render);
    const next: Page = {startedMs, sections, bodies: new Map()};
    page = next;
    sections.catch(() => {
      if (page === next) page = undefined;
    });
    return next;
  }

  return {
    /** Rejects when the database cannot be asked. */
    async read(format: Format, compressed: boolean): Promise<Buffer> {
      const {sections, bodies} = currentPage();
      const key = `${format} ${compressed}`;
      const known = bodies.get(key);
      if (known) return known;
      const body = sections.then(async all => {
        const whole = assemble(all, format);
        return compressed ? promisify(gzip)(whole, {level: gzipLevel}) : whole;
      });
      bodies.set(key, body);
      return body;
    },
  };
}

function assemble(sections: readonly Section[], format: Format): Buffer {
  const parts = sections.flatMap(({family, lines}) => [header(family, format), ...lines]);
  return Buffer.concat([...parts, ...(format === 'openMetrics' ? [Buffer.from('# EOF\n')] : [])]);
}

/** The family of a counter has no suffix in OpenMetrics; its series have in both. */
function header({name, help, type}: Family, format: Format): Buffer {
  const isCounter = format === 'openMetrics' && type === 'counter';
  const family = isCounter ? name.replace(/_total$/, '') : name;
  const text = help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
  return Buffer.from(`# HELP ${family} ${text}\n# TYPE ${family} ${type}\n`);
}

/** The labels of every machine, as text and as bytes one after the other. */
type MachineLabels = {
  readonly machines: readonly MeasuredMachine[];
  readonly texts: readonly string[];
  readonly bytes: Buffer;
  /** Where those of each machine end. */
  readonly ends: readonly number[];
};

/** Keeps the labels of all machines from page to page: only numbers change between two, unless a machine comes or is renamed. */
function createLineWriter() {
  let known: MachineLabels | undefined;

  function labelsOf(machines: readonly MeasuredMachine[]): MachineLabels {
    const before = known;
    const texts = machines.map((machine, at) => {
      const same = before?.machines[at];
      const text = same && isNamedAs(same, machine) ? before?.texts[at] : undefined;
      return text ?? machineLabels(machine);
    });
    if (
      before?.texts.length === texts.length &&
      texts.every((text, at) => text === before.texts[at])
    )
      return before;
    let end = 0;
    const ends = texts.map(text => (end += Buffer.byteLength(text)));
    known = {machines, texts, ends, bytes: Buffer.from(texts.join(''))};
    return known;
  }

  return {
    async render(snapshot: FleetSnapshot): Promise<readonly Section[]> {
      const {machines} = snapshot;
      const labels = labelsOf(machines);
      const sections: Section[] = fleetFamilies.map(family => {
        const lines = family.series(snapshot).map(series => lineOf(family.name, '', series));
        return {family, lines: [Buffer.from(lines.join(''))]};
      });
      for (const family of [...labelledFamilies, ...deviceFamilies])
        sections.push({family, lines: await labelledLines(family, machines, labels)});
      for (const family of machineFamilies)
        sections.push({family, lines: [await machineLines(family, machines, labels)]});
      return sections;
    },
  };
}

const isNamedAs = (one: MeasuredMachine, other: MeasuredMachine): boolean =>
  one.id === other.id && one.hostname === other.hostname && one.serviceTag === other.serviceTag;

/** One line a machine. As bytes: made of strings, a page of 10,000 machines costs five times as much. */
async function machineLines(
  family: MachineFamily,
  machines: readonly MeasuredMachine[],
  {bytes, ends}: MachineLabels,
): Promise<Buffer> {
  const name = Buffer.from(`${family.name}{`);
  const lines = Buffer.allocUnsafe(bytes.length + machines.length * (name.length + valueBytesMax));
  let at = 0;
  let start = 0;
  for (const [index, machine] of machines.entries()) {
    const end = ends[index] ?? start;
    const value = family.value(machine);
    if (value !== undefined) {
      at += name.copy(lines, at);
      at += bytes.copy(lines, at, start, end);
      lines[at++] = closingBrace;
      lines[at++] = space;
      at = writeNumber(lines, at, value);
      lines[at++] = lineFeed;
    }
    start = end;
    if (index % machinesAtAStretch === 0) await setImmediate();
  }
  return lines.subarray(0, at);
}

/** Any number of lines a machine, in pieces. */
async function labelledLines(
  family: LabelledFamily,
  machines: readonly MeasuredMachine[],
  {texts}: MachineLabels,
): Promise<readonly Buffer[]> {
  const pieces: Buffer[] = [];
  let text = '';
  for (const [index, machine] of machines.entries()) {
    for (const series of family.series(machine))
      text += lineOf(family.name, texts[index] ?? '', series);
    if (text.length < pieceBytes) continue;
    pieces.push(Buffer.from(text));
    text = '';
    await setImmediate();
  }
  pieces.push(Buffer.from(text));
  return pieces;
}

function lineOf(name: string, shared: string, {labels, value}: Series): string {
  const own = labelText(labels);
  const all = shared === '' || own === '' ? shared + own : `${shared},${own}`;
  return all === '' ? `${name} ${value}\n` : `${name}{${all}} ${value}\n`;
}

/** Its name for people is the host name, else the serial number. */
const machineLabels = ({id, hostname, serviceTag}: MeasuredMachine): string =>
  labelText({machine_id: id, host: hostname || serviceTag});

function labelText(labels: Labels): string {
  let text = '';
  for (const [name, value] of Object.entries(labels))
    text += `${text === '' ? '' : ','}${name}="${escape(value)}"`;
  return text;
}

const escape = (value: string): string =>
  /[\\"\n]/.test(value)
    ? value
        .replaceAll('\\', '\\\\')
        .replaceAll('"', String.raw`\"`)
        .replaceAll('\n', String.raw`\n`)
    : value;
