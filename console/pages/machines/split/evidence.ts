import {timestampMs} from '@bufbuild/protobuf/wkt';
import type {
  GetMachineEvidenceResponse as Evidence,
  GetMachineEvidenceResponse_Boots as Boots,
  GetMachineEvidenceResponse_Item as Item,
} from '@muster/proto/gen/muster/v1/discovery_pb.ts';
import {type Machine, Machine_State as State} from '@muster/proto/gen/muster/v1/machines_pb.ts';

/** What one looks for on a box comes first. */
const words: Readonly<Record<string, string>> = {
  system_serial: 'Serial number',
  uuid: 'UUID',
  mac: 'MAC',
  local_mac: 'MAC, set by software',
  bmc_mac: 'MAC of the BMC',
  board_serial: 'Serial of the board',
  chassis_serial: 'Serial of the chassis',
  tpm_ek: 'TPM key',
  disk_serial: 'Serial of a disk',
  dimm_serial: 'Serial of a DIMM',
};
export const kindWord = (kind: string): string => words[kind] ?? kind.replaceAll('_', ' ');

const order = Object.keys(words);
export const inOrder = (items: readonly Item[]): readonly Item[] =>
  items.toSorted((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind));

/** Boots that are of one box, because each has a value in common with another of them. */
export type Box = {
  readonly values: readonly string[];
  readonly bootCount: number;
  /** The newest. */
  readonly last: Boots;
};

/** The one that booted last comes first. */
export function boxesOf({boots}: Evidence): readonly Box[] {
  let boxes: readonly Box[] = [];
  for (const each of boots) {
    const own: Box = {values: each.values, bootCount: each.count, last: each};
    const isSame = ({values}: Box) => values.some(value => each.values.includes(value));
    const joined = boxes.filter(isSame).reduce(join, own);
    boxes = [...boxes.filter(box => !isSame(box)), joined];
  }
  return boxes.toSorted((a, b) => timeOf(b) - timeOf(a));
}

const join = (a: Box, b: Box): Box => ({
  values: [...new Set([...a.values, ...b.values])],
  bootCount: a.bootCount + b.bootCount,
  last: timeOf(a) < timeOf(b) ? b.last : a.last,
});
const timeOf = ({last: {lastTime}}: Box): number => (lastTime ? timestampMs(lastTime) : 0);

/** The address names them: `take=52:54:00:aa:00:02,XYZ9876`; a value may hold a comma. */
export const takenOf = (items: readonly Item[], take: string | undefined): ReadonlySet<string> => {
  const named = new Set((take ?? '').split(',').map(unescapeComma));
  return new Set(items.map(({value}) => value).filter(value => named.has(value)));
};
export const takeText = (taken: ReadonlySet<string>): string | undefined =>
  taken.size === 0 ? undefined : [...taken].map(escapeComma).join(',');

const escapeComma = (value: string) => value.replaceAll('%', '%25').replaceAll(',', '%2C');
const unescapeComma = (text: string) => text.replaceAll('%2C', ',').replaceAll('%25', '%');

/** server/domain/lifecycle.ts, `splittable`. */
const busy: Readonly<Partial<Record<State, string>>> = {
  [State.PROVISIONING]: 'An image is being built for it: wait until that is done',
  [State.RETIRING]: 'It is being wiped: wait until that is done',
};

/** Why it cannot be split yet. */
export function splitProblem(
  machine: Machine,
  items: readonly Item[],
  taken: ReadonlySet<string>,
): string | undefined {
  const isBusy = busy[machine.state];
  if (isBusy !== undefined) return isBusy;
  if (items.length < 2) return 'It is recognised by one thing only: nothing can be taken from it';
  if (taken.size === 0) return 'Mark what belongs to the other box first';
  if (items.every(({value}) => taken.has(value))) return 'Something has to stay: take a mark away';
  return undefined;
}
