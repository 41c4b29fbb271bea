/** One virtual machine of the lab, as its maker would have stamped it. */
export type LabMachine = {
  readonly name: string;
  readonly firmware: 'bios' | 'uefi';
  readonly macAddress: string;
  readonly smbios: readonly string[];
};

const junk = 'To be filled by O.E.M.';

/**
 * Four makes: what their SMBIOS tables and MAC prefixes look like in racks. The last has the serials and the UUID that cheap boards
 * share with thousands of others, and a locally administered MAC: nothing but its MAC tells it apart.
 */
export const labMachines: readonly LabMachine[] = [
  {
    name: 'dell',
    firmware: 'bios',
    macAddress: 'd0:67:e5:4a:10:01',
    smbios: stamp({
      manufacturer: 'Dell Inc.',
      product: 'PowerEdge R740',
      serial: '7XK2MQ2',
      uuid: '4c4c4544-0058-4b10-8032-b7c04f4d5132',
      board: '.7XK2MQ2.CNFCP0079B02QH.',
      asset: 'RACK12-U07',
      bios: 'vendor=Dell Inc.,version=2.19.1',
    }),
  },
  {
    name: 'hpe',
    firmware: 'uefi',
    macAddress: '94:57:a5:6b:20:02',
    smbios: stamp({
      manufacturer: 'HPE',
      product: 'ProLiant DL380 Gen10',
      serial: 'CZJ9230H4T',
      uuid: '37353738-3036-5a43-4a39-323330483454',
      board: 'PWFCN0CRHBQ0B7',
      asset: 'RACK12-U09',
      bios: 'vendor=HPE,version=U30',
    }),
  },
  {
    name: 'supermicro',
    firmware: 'bios',
    macAddress: '0c:c4:7a:8c:30:03',
    smbios: stamp({
      manufacturer: 'Supermicro',
      product: 'SYS-1029P-WTR',
      serial: 'A315738X9C21043',
      uuid: '0cc47a8c-3003-11ea-8000-3cecef4a1b2c',
      board: 'UM18CS031904',
      asset: 'RACK12-U11',
      bios: 'vendor=American Megatrends Inc.,version=3.6',
    }),
  },
  {
    name: 'no-name',
    firmware: 'uefi',
    macAddress: '52:54:00:aa:40:04',
    smbios: stamp({
      manufacturer: junk,
      product: junk,
      serial: junk,
      uuid: '03000200-0400-0500-0006-000700080009',
      board: junk,
      asset: junk,
      bios: 'vendor=American Megatrends Inc.,version=F12',
    }),
  },
];

/** SMBIOS types 0 to 3 in QEMU's words (DMTF DSP0134, 7.1 to 7.4). */
function stamp({
  manufacturer,
  product,
  serial,
  uuid,
  board,
  asset,
  bios,
}: Readonly<
  Record<'manufacturer' | 'product' | 'serial' | 'uuid' | 'board' | 'asset' | 'bios', string>
>): readonly string[] {
  return [
    `type=0,${bios}`,
    `type=1,manufacturer=${manufacturer},product=${product},serial=${serial},uuid=${uuid}`,
    `type=2,manufacturer=${manufacturer},product=${product},serial=${board}`,
    `type=3,manufacturer=${manufacturer},serial=${serial},asset=${asset}`,
  ];
}
