import {
  Collector_State,
  Collector_StateSchema,
  type Disk,
  DiskHealth_Verdict,
  type Firmware,
  Firmware_ModeSchema,
  Firmware_SecureBootSchema,
  type Hardware,
  HardwareSchema,
} from '@muster/proto/gen/muster/v1/hardware_pb.ts';
import type {Command} from 'commander';
import {contextOf, machineIdOf} from '../context.ts';
import {assertAnswered} from '../exit-status.ts';
import {bytes, clock, nameOf, type Output} from '../output.ts';

/** `muster hardware …` */
export function addHardwareCommands(program: Command): Command {
  const hardware = program.command('hardware').description('what the agents found');
  hardware
    .command('get <machine>')
    .description('the last inventory of a machine; --json gives all of it')
    .addHelpText('after', '\nExample: muster hardware get ABC1234 --json | jq .pciDevices')
    .action(get);
  return hardware;
}

async function get(name: string, _options: object, command: Command): Promise<void> {
  const context = contextOf(command);
  const machineId = await machineIdOf(context, name);
  const {hardware} = await context.clients.hardware.getHardware({machineId});
  assertAnswered(hardware);
  if (context.out.json) return context.out.document(HardwareSchema, hardware);
  show(context.out, hardware);
}

function show(out: Output, hardware: Hardware): void {
  const {system, baseboard, chassis, firmware, memory, tpm, bmc, operatingSystem} = hardware;
  out.record({
    collected: clock(hardware.collectTime),
    system: join(system?.manufacturer, system?.product, system?.version),
    serial: system?.serial ?? '',
    uuid: system?.uuid ?? '',
    board: join(baseboard?.manufacturer, baseboard?.product, baseboard?.serial),
    chassis: join(chassis?.type, chassis?.serial, chassis?.assetTag),
    firmware: firmware
      ? join(firmware.vendor, firmware.version, firmware.releaseDate, modeOf(firmware))
      : '',
    memory: memory
      ? join(
          bytes(memory.totalBytes),
          memory.dimms.length > 0 && `in ${memory.dimms.length} modules`,
        )
      : '',
    tpm: join(tpm?.version, tpm?.manufacturer),
    bmc: join(bmc?.ipAddress, bmc?.macAddress, bmc?.firmwareVersion),
    'operating system': join(operatingSystem?.name, operatingSystem?.kernel),
  });
  out.line('');
  showParts(out, hardware);
}

function showParts(out: Output, hardware: Hardware): void {
  const {cpus, memory, disks, nics, gpus, lldpNeighbours, collectors} = hardware;
  for (const cpu of cpus)
    out.line(`cpu   ${join(cpu.socket, cpu.model)}  ${cpu.cores} cores, ${cpu.threads} threads`);
  for (const dimm of memory?.dimms ?? [])
    out.line(`dimm  ${join(dimm.locator, bytes(dimm.sizeBytes), dimm.type, dimm.manufacturer)}`);
  for (const disk of disks)
    out.line(
      `disk  ${join(disk.name, bytes(disk.sizeBytes), disk.model, disk.serial, isFailing(disk) && 'expects to fail')}`,
    );
  for (const nic of nics) {
    const speed = nic.link ? nic.speedMbps > 0 && `${nic.speedMbps} Mbit/s` : 'no link';
    out.line(`nic   ${join(nic.name, nic.macAddress, nic.driver, nic.firmwareVersion, speed)}`);
  }
  for (const gpu of gpus) out.line(`gpu   ${join(gpu.pciAddress, gpu.model)}`);
  for (const {interface: name, systemName, portId, portDescription} of lldpNeighbours)
    out.line(`lldp  ${name} is wired to ${join(systemName, portId, portDescription)}`);

  const missing = collectors.filter(({state}) => state !== Collector_State.COLLECTED);
  for (const {name, state, reason} of missing)
    out.line(`      ${name} ${nameOf(Collector_StateSchema, state).toLowerCase()}: ${reason}`);
}

const isFailing = ({health}: Disk): boolean => health?.verdict === DiskHealth_Verdict.FAILED;

const modeOf = ({mode, secureBoot}: Firmware): string =>
  `(${nameOf(Firmware_ModeSchema, mode)}, Secure Boot ${nameOf(Firmware_SecureBootSchema, secureBoot).toLowerCase()})`;

const join = (...words: readonly (string | false | undefined)[]): string =>
  words.filter(Boolean).join(' ');
