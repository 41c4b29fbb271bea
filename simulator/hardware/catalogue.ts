/** Parts as they are sold: what SMBIOS, the kernel and smartctl say about them. */

export type CpuModel = {
  readonly manufacturer: string;
  readonly model: string;
  readonly cores: number;
  readonly maxMhz: number;
  readonly microcode: string;
};

export type DiskModel = {
  readonly model: string;
  readonly sizeBytes: number;
  readonly transport: 'nvme' | 'sata' | 'sas';
  readonly rotational: boolean;
  readonly firmware: readonly [string, ...string[]];
  /** Before the random part of a serial. */
  readonly serialPrefix: string;
};

export type NicModel = {
  readonly vendorId: string;
  readonly deviceId: string;
  readonly driver: string;
  readonly firmware: string;
  readonly ports: number;
  readonly speedMbps: number;
  readonly ouis: readonly [string, ...string[]];
};

type DimmMaker = {readonly manufacturer: string; readonly part: string};

const intel = 'Intel(R) Corporation';
const amd = 'Advanced Micro Devices, Inc.';

export const cpus = {
  silver4210: cpu(intel, 'Intel(R) Xeon(R) Silver 4210 CPU @ 2.20GHz', 10, 3200, '0x5003707'),
  gold6230: cpu(intel, 'Intel(R) Xeon(R) Gold 6230 CPU @ 2.10GHz', 20, 3900, '0x5003707'),
  gold6338: cpu(intel, 'Intel(R) Xeon(R) Gold 6338 CPU @ 2.00GHz', 32, 3200, '0xd0003d1'),
  gold6430: cpu(intel, 'Intel(R) Xeon(R) Gold 6430', 32, 3400, '0x2b0005c0'),
  e2336: cpu(intel, 'Intel(R) Xeon(R) E-2336 CPU @ 2.90GHz', 6, 4800, '0x5e'),
  epyc7302: cpu(amd, 'AMD EPYC 7302 16-Core Processor', 16, 3000, '0x830107c'),
  epyc7543: cpu(amd, 'AMD EPYC 7543 32-Core Processor', 32, 3738, '0xa0011d5'),
  epyc9354: cpu(amd, 'AMD EPYC 9354 32-Core Processor', 32, 3800, '0xa101148'),
  ryzen5950: cpu(amd, 'AMD Ryzen 9 5950X 16-Core Processor', 16, 5083, '0xa20120e'),
} as const;

export const disks = {
  pm9a3: disk('SAMSUNG MZQL21T9HCJR-00A07', 1_920_383_410_176, 'nvme', 'GDC5902Q', 'S64GNE0'),
  pm9a3Large: disk('SAMSUNG MZQL23T8HCLS-00A07', 3_840_755_982_336, 'nvme', 'GDC5902Q', 'S64HNE0'),
  p4510: disk('INTEL SSDPE2KX010T8', 1_000_204_886_016, 'nvme', 'VDV10184', 'PHLJ1'),
  kioxia: disk('KIOXIA KCD61LUL3T84', 3_840_755_982_336, 'nvme', '8002', '41K0A0'),
  micron: disk('Micron_5300_MTFDDAK960TDS', 960_197_124_096, 'sata', 'D3MU001', '2035'),
  intelBoot: disk('INTEL SSDSC2KB480G8', 480_103_981_056, 'sata', 'XCV10132', 'BTYF'),
  evo: disk('Samsung SSD 870 EVO 1TB', 1_000_204_886_016, 'sata', 'SVT02B6Q', 'S6PUNX0'),
  exos: disk('ST8000NM000A-2KE101', 8_001_563_222_016, 'sata', 'SN03', 'WSD', true),
  ironwolf: disk('ST4000VN008-2DR166', 4_000_787_030_016, 'sata', 'SC60', 'ZGY', true),
  sas: disk('ST1200MM0129', 1_200_243_695_616, 'sas', 'C005', 'WFK', true),
} as const;

export const nics = {
  bcm5720: nic('14e4', '165f', 'tg3', '22.71.3', 2, 1000, ['b0:26:28', 'e4:43:4b', 'd0:94:66']),
  hpe331: nic('14e4', '1657', 'tg3', '20.14.62', 4, 1000, ['94:40:c9', '48:df:37', '20:67:7c']),
  i350: nic('8086', '1521', 'igb', '1.63, 0x80000a05', 2, 1000, [
    'ac:1f:6b',
    '3c:ec:ef',
    '0c:c4:7a',
  ]),
  x722: nic('8086', '37d2', 'i40e', '4.11 0x80001def', 2, 10_000, ['08:94:ef', 'a4:8c:db']),
  i210: nic('8086', '1533', 'igb', '3.25, 0x800005cf', 1, 1000, [
    '18:c0:4d',
    'b4:2e:99',
    'd8:5e:d3',
  ]),
  i225: nic('8086', '15f3', 'igc', '1057:8754', 1, 2500, ['70:85:c2', 'd0:50:99', 'a8:a1:59']),
  cx5: nic('15b3', '1017', 'mlx5_core', '16.35.2000', 2, 25_000, ['b8:59:9f', '0c:42:a1']),
  xxv710: nic('8086', '158b', 'i40e', '9.20 0x8000d95e', 2, 25_000, ['3c:fd:fe', '40:a6:b7']),
  x520: nic('8086', '10fb', 'ixgbe', '0x800006da', 2, 10_000, ['90:e2:ba', 'a0:36:9f']),
} as const;

export const dimmMakers: readonly [DimmMaker, ...DimmMaker[]] = [
  {manufacturer: 'Samsung', part: 'M393A4K40DB3-CWE'},
  {manufacturer: 'SK Hynix', part: 'HMA84GR7DJR4N-XN'},
  {manufacturer: 'Micron Technology', part: '36ASF4G72PZ-3G2R1'},
  {manufacturer: 'Kingston', part: 'KSM32RD4/32HDR'},
];

function cpu(
  manufacturer: string,
  model: string,
  cores: number,
  maxMhz: number,
  microcode: string,
): CpuModel {
  return {manufacturer, model, cores, maxMhz, microcode};
}

function disk(
  model: string,
  sizeBytes: number,
  transport: DiskModel['transport'],
  firmware: string,
  serialPrefix: string,
  rotational = false,
): DiskModel {
  return {model, sizeBytes, transport, firmware: [firmware], serialPrefix, rotational};
}

function nic(
  vendorId: string,
  deviceId: string,
  driver: string,
  firmware: string,
  ports: number,
  speedMbps: number,
  ouis: NicModel['ouis'],
): NicModel {
  return {vendorId, deviceId, driver, firmware, ports, speedMbps, ouis};
}
