import type {UsbDeviceJson} from '@muster/proto/gen/muster/v1/hardware_pb.ts';
import {compact} from '../json.ts';
import type {Found, Source} from './collector.ts';

const devices = '/sys/bus/usb/devices';
const deviceCountMax = 512;
/** "1-1.4": a device. Root hubs are "usb1", interfaces "1-1.4:1.0". */
const deviceName = /^\d+-\d+(?:\.\d+)*$/;

export async function collectUsbDevices({tree}: Source): Promise<Found> {
  const names = (await tree.names(devices)).filter(name => deviceName.test(name));
  return {
    usbDevices: await Promise.all(
      names.slice(0, deviceCountMax).map(async busId => {
        const text = (file: string) => tree.text(`${devices}/${busId}/${file}`);
        const [vendorId, productId, manufacturer, product, serial] = await Promise.all([
          text('idVendor'),
          text('idProduct'),
          text('manufacturer'),
          text('product'),
          text('serial'),
        ]);
        return compact<UsbDeviceJson>({busId, vendorId, productId, manufacturer, product, serial});
      }),
    ),
  };
}
