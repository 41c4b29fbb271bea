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
  type Series,
} from './exposition-families.ts';
import {createMachineLines, type LabelBytes} from './machine-lines.ts';

/** A page is given to every scrape of this long: who scrapes more often than that gains nothing. */
const pageAgeMsMax = 5000;
/** Written at a stretch; look-ups of others go between. */
const machinesInPiece = 500;
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
  readonly bodies: Map<string, Promise<Body>>;
};

/** In pieces: made one, a page would be copied once more. */
export type Body = {readonly pieces: readonly Buffer[]; readonly length: number};

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
    async read(format: Format, compressed: boolean): Promise<Body> {
      const {sections, bodies} = currentPage();
      const key = `${format} ${compressed}`;
      const known = bodies.get(key);
      if (known) return known;
      const body = sections.then(async all => {
        const pieces = piecesOf(all, format);
        if (!compressed) return bodyOf(pieces);
        return bodyOf([await promisify(gzip)(Buffer.concat(pieces), {level: gzipLevel})]);
      });
      bodies.set(key, body);
      return body;
    },
  };
}

const bodyOf = (pieces: readonly Buffer[]): Body => ({
  pieces,
  length: pieces.reduce((sum, piece) => sum + piece.length, 0),
});

function piecesOf(sections: readonly Section[], format: Format): readonly Buffer[] {
  const pieces = sections.flatMap(({family, lines}) => [header(family, format), ...lines]);
  return format === 'openMetrics' ? [...pieces, Buffer.from('# EOF\n')] : pieces;
}

/** The family of a counter has no suffix in OpenMetrics; its series have in both. */
function header({name, help, type}: Family, format: Format): Buffer {
  const isCounter = format === 'openMetrics' && type === 'counter';
  const family = isCounter ? name.replace(/_total$/, '') : name;
  const text = help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
  return Buffer.from(`# HELP ${family} ${text}\n# TYPE ${family} ${type}\n`);
}

/** The labels of every machine, as text and as bytes one after the other. */
type MachineLabels = LabelBytes & {
  readonly machines: readonly MeasuredMachine[];
  readonly texts: readonly string[];
};

/** Keeps the labels of all machines from page to page: only numbers change between two, unless a machine comes or is renamed. */
function createLineWriter() {
  let known: MachineLabels | undefined;
  const machineLines = createMachineLines(machineFamilies);
  const labelledLines = createLabelledLines();

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
      const lines = await machineLines(machines, labels);
      for (const [index, bytes] of lines.entries()) {
        const family = machineFamilies[index];
        if (family) sections.push({family, lines: [bytes]});
      }
      return sections;
    },
  };
}

const isNamedAs = (one: MeasuredMachine, other: MeasuredMachine): boolean =>
  one.id === other.id && one.hostname === other.hostname && one.serviceTag === other.serviceTag;

type LabelledLines = {
  readonly labels: MachineLabels;
  readonly machines: readonly MeasuredMachine[];
  /** Of `machinesInPiece` each. */
  readonly pieces: readonly Buffer[];
};

/** Any number of lines a machine, in pieces. One whose machines have what they had on the last page is the piece of that page. */
function createLabelledLines() {
  const known = new Map<LabelledFamily, LabelledLines>();

  return async function render(
    family: LabelledFamily,
    machines: readonly MeasuredMachine[],
    labels: MachineLabels,
  ): Promise<readonly Buffer[]> {
    const last = known.get(family);
    const before = last?.labels === labels ? last : undefined;
    const pieces: Buffer[] = [];
    for (let start = 0; start < machines.length; start += machinesInPiece) {
      const end = Math.min(start + machinesInPiece, machines.length);
      const isKnown = before && areSame(family, {before: before.machines, machines, start, end});
      const piece = isKnown ? before.pieces[pieces.length] : undefined;
      pieces.push(piece ?? labelledLines(family, {machines, labels, start, end}));
      if (!piece) await setImmediate();
    }
    known.set(family, {labels, machines, pieces});
    return pieces;
  };
}

type Range = {
  readonly machines: readonly MeasuredMachine[];
  readonly start: number;
  readonly end: number;
};

function areSame(
  {isSame}: LabelledFamily,
  {before, machines, start, end}: Range & {readonly before: readonly MeasuredMachine[]},
): boolean {
  for (let at = start; at < end; at++) {
    const [one, other] = [before[at], machines[at]];
    if (!one || !other || !isSame(one, other)) return false;
  }
  return true;
}

function labelledLines(
  family: LabelledFamily,
  {machines, labels: {texts}, start, end}: Range & {readonly labels: MachineLabels},
): Buffer {
  let text = '';
  for (const [index, machine] of machines.slice(start, end).entries())
    for (const series of family.series(machine))
      text += lineOf(family.name, texts[start + index] ?? '', series);
  return Buffer.from(text);
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
