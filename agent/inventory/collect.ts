import type {HardwareJson} from '@muster/proto/gen/muster/v1/hardware_pb.ts';
import {createTools} from '../run-command.ts';
import {collectBmc} from './bmc.ts';
import {type Collector, type Found, runCollector, type Source} from './collector.ts';
import {collectCpus} from './cpus.ts';
import {healthTimeoutMs} from './disk-health.ts';
import {collectDisks} from './disks.ts';
import {collectFirmware} from './firmware.ts';
import {collectGpus} from './gpus.ts';
import {fitInventory} from './limits.ts';
import {collectLldpNeighbours} from './lldp.ts';
import {collectMemory} from './memory.ts';
import {collectNics} from './nics.ts';
import {collectNumaNodes} from './numa.ts';
import {collectOperatingSystem} from './operating-system.ts';
import {collectPciDevices} from './pci.ts';
import {collectSystem, readSmbios} from './system.ts';
import {collectTpm} from './tpm.ts';
import {openTree} from './tree.ts';
import {collectUsbDevices} from './usb.ts';

const filesTimeoutMs = 5000;
const neighboursTimeoutMs = 40_000;
const toolsTimeoutMs = 15_000;
/** ipmitool waits long for a BMC that is busy. */
const bmcTimeoutMs = 45_000;

/** In the order in which they run. One at a time: the machine may be at work, and the slow ones come last. */
export const collectors: readonly Collector[] = [
  {
    name: 'system',
    timeoutMs: filesTimeoutMs,
    collect: collectSystem,
    absence: 'No SMBIOS tables and no DMI fields',
  },
  {
    name: 'firmware',
    timeoutMs: filesTimeoutMs,
    collect: collectFirmware,
    absence: 'Nothing known',
  },
  {name: 'cpus', timeoutMs: filesTimeoutMs, collect: collectCpus, absence: 'No /proc/cpuinfo'},
  {name: 'memory', timeoutMs: filesTimeoutMs, collect: collectMemory, absence: 'No /proc/meminfo'},
  {
    name: 'disks',
    timeoutMs: filesTimeoutMs + healthTimeoutMs,
    collect: collectDisks,
    absence: 'No disks',
  },
  {name: 'nics', timeoutMs: toolsTimeoutMs, collect: collectNics, absence: 'No interfaces'},
  {name: 'pci', timeoutMs: filesTimeoutMs, collect: collectPciDevices, absence: 'No PCI bus'},
  {name: 'usb', timeoutMs: filesTimeoutMs, collect: collectUsbDevices, absence: 'No USB devices'},
  {name: 'numa', timeoutMs: filesTimeoutMs, collect: collectNumaNodes, absence: 'No NUMA nodes'},
  {
    name: 'operating_system',
    timeoutMs: filesTimeoutMs,
    collect: collectOperatingSystem,
    absence: 'Nothing known',
  },
  {
    name: 'lldp',
    timeoutMs: neighboursTimeoutMs,
    collect: collectLldpNeighbours,
    absence: 'Neither lldpcli nor tcpdump, or no neighbour heard',
  },
  {name: 'tpm', timeoutMs: toolsTimeoutMs, collect: collectTpm, absence: 'No TPM'},
  {name: 'gpus', timeoutMs: toolsTimeoutMs, collect: collectGpus, absence: 'No GPU'},
  {
    name: 'bmc',
    timeoutMs: bmcTimeoutMs,
    collect: collectBmc,
    absence: 'No /dev/ipmi0',
  },
];

/** The whole inventory of the machine below `root`. What is absent or unreadable is left out, and `collectors` says why. */
export async function collectInventory(
  root: string,
  list: readonly Collector[] = collectors,
): Promise<HardwareJson> {
  const tree = openTree(root);
  const source: Source = {
    tree,
    tools: createTools(root),
    smbios: await readSmbios(tree),
    isOwnMachine: root === '/',
  };
  const parts: Found[] = [];
  const entries: HardwareJson['collectors'] & object = [];
  for (const collector of list) {
    const {found, entry} = await runCollector(collector, source);
    parts.push(found);
    entries.push(entry);
  }
  const whole = Object.assign({collectTime: new Date().toISOString()}, ...parts) as HardwareJson;
  return fitInventory({...whole, collectors: entries});
}
