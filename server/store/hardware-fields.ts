/** One value of the inventory; `path` goes through `machine_search.facts`, with [] behind what is there many times. */
export type HardwareField = {
  readonly path: readonly string[];
  readonly type: 'text' | 'number' | 'boolean';
};

type Part = {
  readonly text?: string;
  readonly number?: string;
  readonly boolean?: string;
};

/** The contract's message Hardware, part by part; a test holds the two together. */
const parts: Readonly<Record<string, Part>> = {
  system: {text: 'manufacturer product version serial uuid sku family'},
  baseboard: {text: 'manufacturer product version serial asset_tag'},
  chassis: {text: 'manufacturer type version serial asset_tag'},
  firmware: {text: 'vendor version release_date mode secure_boot'},
  'cpus[]': {
    text: 'socket manufacturer model microcode architecture flags[]',
    number: 'cores threads max_mhz',
  },
  memory: {text: 'error_correction', number: 'total_bytes slots'},
  'memory.dimms[]': {
    text: 'locator bank type form_factor manufacturer serial part_number asset_tag',
    number: 'size_bytes speed_mts configured_speed_mts',
  },
  'disks[]': {
    text: 'name model serial wwn transport firmware pci_address path',
    number: 'size_bytes logical_block_bytes physical_block_bytes',
    boolean: 'rotational removable',
  },
  'disks[].health': {
    text: 'verdict reason',
    number: 'power_on_hours percentage_used reallocated_sectors pending_sectors media_errors',
  },
  'nics[]': {
    text: 'name mac_address permanent_mac_address driver firmware_version pci_address ip_addresses[] vendor_id device_id type',
    number: 'speed_mbps speed_mbps_max mtu',
    boolean: 'link',
  },
  'pci_devices[]': {
    text: 'address vendor_id device_id subsystem_vendor_id subsystem_device_id class_id driver',
    number: 'numa_node link_speed_gts link_speed_gts_max link_width link_width_max',
  },
  'gpus[]': {text: 'pci_address vendor_id device_id driver model'},
  'usb_devices[]': {text: 'bus_id vendor_id product_id manufacturer product serial'},
  'numa_nodes[]': {text: 'cpus', number: 'id memory_bytes'},
  tpm: {text: 'version manufacturer ek_hash'},
  bmc: {text: 'mac_address ip_address firmware_version manufacturer'},
  'lldp_neighbours[]': {
    text: 'interface chassis_id system_name port_id port_description',
    number: 'vlan_id',
  },
  operating_system: {text: 'name kernel architecture host_name'},
  'collectors[]': {text: 'name state reason'},
};

/** By the name in a filter: "hardware.disks.serial". */
export const hardwareFields: ReadonlyMap<string, HardwareField> = new Map(
  Object.entries(parts).flatMap(([part, fields]) =>
    (['text', 'number', 'boolean'] as const).flatMap(type =>
      (fields[type] ?? '')
        .split(' ')
        .filter(Boolean)
        .map((field): readonly [string, HardwareField] => {
          const path = [...part.split('.'), field];
          return [`hardware.${path.join('.').replaceAll('[]', '')}`, {path, type}];
        }),
    ),
  ),
);

/** `{"disks": [{"serial": value}]}`: what the facts of a machine with this value contain. */
export function containing({path}: HardwareField, value: string | number | boolean): string {
  const wrapped = path.toReversed().reduce<unknown>((inner, segment) => {
    const name = segment.replace('[]', '');
    return {[name]: segment.endsWith('[]') ? [inner] : inner};
  }, value);
  return JSON.stringify(wrapped);
}

/** In lax mode a path goes through arrays by itself. */
export const jsonPath = ({path}: HardwareField): string =>
  `$.${path.map(segment => segment.replace('[]', '')).join('.')}`;
