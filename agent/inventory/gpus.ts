import type {GpuJson} from '@muster/proto/gen/muster/v1/hardware_pb.ts';
import {compact} from '../json.ts';
import type {Found, Source} from './collector.ts';
import {readPciDevice} from './pci.ts';
import {cleanText} from './tree.ts';

const gpuCountMax = 64;
/** PCI class codes: display controllers, and processing accelerators. */
const gpuClass = /^(03|12)/;

/** Display controllers and accelerators of the PCI bus, with the names that systeminformation has from lspci and the vendor's tools. */
export async function collectGpus({tree, isOwnMachine}: Source): Promise<Found> {
  const addresses = await tree.names('/sys/bus/pci/devices');
  const devices = await Promise.all(addresses.map(address => readPciDevice(tree, address)));
  const gpus = devices.filter(({classId}) => gpuClass.test(classId ?? '')).slice(0, gpuCountMax);
  if (gpus.length === 0) return {};

  const modelOf = isOwnMachine ? await readModels() : () => undefined;
  return {
    gpus: gpus.map(({address, vendorId, deviceId, driver}) =>
      compact<GpuJson>({
        pciAddress: address,
        vendorId,
        deviceId,
        driver,
        model: modelOf(address ?? ''),
      }),
    ),
  };
}

/** systeminformation gives addresses with or without the PCI domain. */
async function readModels(): Promise<(address: string) => string | undefined> {
  const {default: systeminformation} = await import('systeminformation');
  const {controllers} = await systeminformation.graphics();
  return address =>
    cleanText(
      controllers.find(
        ({busAddress, model}) =>
          model && busAddress && address.endsWith(busAddress.toLowerCase().slice(-12)),
      )?.model,
    );
}
