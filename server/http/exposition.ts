import {setImmediate} from 'node:timers/promises';
import {promisify} from 'node:util';
import {gzip} from 'node:zlib';
import type {FleetSnapshot, MeasuredMachine} from '../domain/fleet-metrics.ts';
import {deviceFamilies} from './device-families.ts';
import {
  type Family,
  fleetFamilies,
  labelledFamilies,
  type Labels,
  machineFamilies,
  type Series,
} from './exposition-families.ts';

/** A page is given to every scrape of this long: who scrapes more often than that gains nothing. */
const pageAgeMsMax = 5000;
/** Written at a stretch; look-ups of others go between. */
const pieceBytes = 64 * 1024;
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

/** Keeps the beginning of every machine's lines: between two pages only the numbers change. */
function createLineWriter() {
  let known = new Map<string, {readonly labels: string; readonly prefixes: readonly string[]}>();

  function prefixesOf(machines: readonly MeasuredMachine[]): readonly (readonly string[])[] {
    const next: typeof known = new Map();
    for (const machine of machines) {
      const labels = machineLabels(machine);
      const before = known.get(machine.id);
      next.set(
        machine.id,
        before?.labels === labels
          ? before
          : {labels, prefixes: machineFamilies.map(({name}) => `${name}{${labels}} `)},
      );
    }
    known = next;
    return machines.map(({id}) => next.get(id)?.prefixes ?? []);
  }

  return {
    async render(snapshot: FleetSnapshot): Promise<readonly Section[]> {
      const {machines} = snapshot;
      const prefixes = prefixesOf(machines);
      const sections: Section[] = fleetFamilies.map(family => ({
        family,
        lines: [Buffer.from(family.series(snapshot).map(lineOf(family.name, '')).join(''))],
      }));
      for (const family of [...labelledFamilies, ...deviceFamilies])
        sections.push({
          family,
          lines: await inPieces(machines, machine =>
            family
              .series(machine)
              .map(lineOf(family.name, machineLabels(machine)))
              .join(''),
          ),
        });
      for (const [index, family] of machineFamilies.entries())
        sections.push({
          family,
          lines: await inPieces(machines, (machine, at) => {
            const value = family.value(machine);
            return value === undefined ? '' : `${prefixes[at]?.[index] ?? ''}${value}\n`;
          }),
        });
      return sections;
    },
  };
}

async function inPieces<T>(
  items: readonly T[],
  write: (item: T, index: number) => string,
): Promise<readonly Buffer[]> {
  const pieces: Buffer[] = [];
  let text = '';
  for (const [index, item] of items.entries()) {
    text += write(item, index);
    if (text.length < pieceBytes) continue;
    pieces.push(Buffer.from(text));
    text = '';
    await setImmediate();
  }
  pieces.push(Buffer.from(text));
  return pieces;
}

const lineOf =
  (name: string, shared: string) =>
  ({labels, value}: Series): string => {
    const all = [...(shared === '' ? [] : [shared]), ...labelText(labels)].join(',');
    return all === '' ? `${name} ${value}\n` : `${name}{${all}} ${value}\n`;
  };

/** Its name for people is the host name, else the serial number. */
const machineLabels = ({id, hostname, serviceTag}: MeasuredMachine): string =>
  labelText({machine_id: id, host: hostname || serviceTag}).join(',');

const labelText = (labels: Labels): readonly string[] =>
  Object.entries(labels).map(([name, value]) => `${name}="${escape(value)}"`);

const escape = (value: string): string =>
  /[\\"\n]/.test(value)
    ? value
        .replaceAll('\\', '\\\\')
        .replaceAll('"', String.raw`\"`)
        .replaceAll('\n', String.raw`\n`)
    : value;
