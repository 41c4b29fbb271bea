import {
  type Machine,
  Machine_PresenceSchema,
  Machine_StateSchema,
  Machine_TrustSchema,
  MachineSchema,
  type MachineTemplate,
} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {assertAnswered} from './exit-status.ts';
import {age, bytes, clock, type Column, nameOf, type Output} from './output.ts';

export const machineColumns: readonly Column<Machine>[] = [
  {title: 'ID', value: machine => machine.id},
  {title: 'SERIAL', value: machine => machine.serviceTag},
  {title: 'MAC', value: machine => machine.macAddress},
  {title: 'HOSTNAME', value: machine => machine.hostname},
  {title: 'STATE', value: machine => nameOf(Machine_StateSchema, machine.state)},
  {title: 'PRESENCE', value: machine => nameOf(Machine_PresenceSchema, machine.presence)},
  {title: 'SEEN', value: machine => age(machine.lastSeenTime)},
  {title: 'PRODUCT', value: machine => `${machine.manufacturer} ${machine.product}`.trim()},
];

/** What the columns are made of. */
export const shownFields =
  'id service_tag mac_address hostname state presence last_seen_time manufacturer product'.split(
    ' ',
  );

/** Every field that a person wants to see, or the resource as JSON. */
export function showMachine(out: Output, machine: Machine | undefined): void {
  assertAnswered(machine);
  if (out.json) return out.document(MachineSchema, machine);
  const {hardware} = machine;
  out.record({
    id: machine.id,
    state: nameOf(Machine_StateSchema, machine.state),
    reason: machine.stateReason,
    since: clock(machine.stateTime),
    stuck: machine.stuckReason,
    presence: nameOf(Machine_PresenceSchema, machine.presence),
    'last seen': machine.lastSeenTime ? `${age(machine.lastSeenTime)} ago` : '',
    trust: nameOf(Machine_TrustSchema, machine.trust),
    quarantined: machine.quarantineReason,
    banned: machine.banReason,
    serial: machine.serviceTag,
    uuid: machine.uuid,
    product: `${machine.manufacturer} ${machine.product}`.trim(),
    'boots from': machine.macAddress,
    macs: machine.macAddresses.join(' '),
    hostname: machine.hostname,
    description: machine.description,
    labels: Object.entries(machine.labels)
      .map(([key, value]) => `${key}=${value}`)
      .join(' '),
    notes: machine.notes,
    workspace: machine.workspaceId,
    cpu: hardware ? `${hardware.cpuThreads} × ${hardware.cpuModel}` : '',
    memory: hardware ? bytes(hardware.memoryBytes) : '',
    disks: hardware ? `${hardware.diskCount}, ${bytes(hardware.diskBytes)}` : '',
    firmware: hardware?.firmwareMode ?? '',
    configured: configured(machine),
    templates: machine.templates.map(describeTemplate).join('; '),
    'desired image': machine.desiredImageId,
    'booted image': machine.bootedImageId,
    'last good image': machine.lastGoodImageId,
    'bad images': machine.badImageIds.join(' '),
    'clock skew': machine.clockSkewMs === 0n ? '' : `${machine.clockSkewMs} ms`,
    created: clock(machine.createTime),
  });
}

const configured = ({nixosConfig, imageConfig, templates}: Machine): string =>
  [
    templates.length > 0 ? 'templates' : '',
    nixosConfig ? 'nixos_config' : '',
    imageConfig ? 'image_config' : '',
  ]
    .filter(Boolean)
    .join(', ');

/** "web@3 port=80 names=[\"a\"]"; without a version it follows the newest. */
function describeTemplate({name, version, parameters}: MachineTemplate): string {
  const values = Object.entries(parameters ?? {}).map(
    ([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  return [version > 0 ? `${name}@${version}` : name, ...values].join(' ');
}

/** One line: name, state, presence and why. */
export function summarizeMachine(out: Output, machine: Machine): string {
  const [state, presence] = [
    nameOf(Machine_StateSchema, machine.state),
    nameOf(Machine_PresenceSchema, machine.presence),
  ].map(
    (word, index) =>
      out.colour(word) + ' '.repeat(Math.max(0, (index === 0 ? 12 : 7) - word.length)),
  );
  return `${machineName(machine)}  ${state}  ${presence}  ${machine.stateReason}`;
}

/** What people call it. */
export const machineName = ({hostname, serviceTag, macAddress, id}: Machine): string =>
  hostname || serviceTag || macAddress || id;
