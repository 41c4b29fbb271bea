import type {LldpNeighbourJson} from '@muster/proto/gen/muster/v1/hardware_pb.ts';
import {compact} from '../json.ts';
import {cleanText} from './tree.ts';

/** Destination, source and EtherType (IEEE 802.3); LLDP is sent untagged. */
const headerBytes = 14;
const lldpEtherType = 0x88cc;
const frameBytesMax = 1600;

// Types of TLVs (IEEE 802.1AB, 8.4).
const chassisId = 1;
const portId = 2;
const portDescription = 4;
const systemName = 5;
const organisationSpecific = 127;
/** OUI of IEEE 802.1 and its subtype "port VLAN id" (802.1AB, Annex D). */
const portVlanId = Buffer.from('0080c201', 'hex');
/** Subtypes that hold a MAC address: of chassis ids 4, of port ids 3 (802.1AB, 8.5.2 and 8.5.3). */
const macSubtypes: Readonly<Record<number, number>> = {[chassisId]: 4, [portId]: 3};

/** What a switch says of itself in one Ethernet frame. Undefined when it is not LLDP; what is cut off or malformed is left out. */
export function parseLldpFrame(
  interfaceName: string,
  frame: Buffer,
): LldpNeighbourJson | undefined {
  if (frame.length < headerBytes || frame.length > frameBytesMax) return undefined;
  if (frame.readUInt16BE(headerBytes - 2) !== lldpEtherType) return undefined;

  const values = new Map<number, Buffer>();
  let vlanId: number | undefined;
  for (const {type, value} of readTlvs(frame.subarray(headerBytes))) {
    if (type !== organisationSpecific) values.set(type, value);
    else if (value.length === 6 && value.subarray(0, 4).equals(portVlanId))
      vlanId = value.readUInt16BE(4);
  }
  return compact<LldpNeighbourJson>({
    interface: interfaceName,
    chassisId: readId(chassisId, values.get(chassisId)),
    systemName: textOf(values.get(systemName)),
    portId: readId(portId, values.get(portId)),
    portDescription: textOf(values.get(portDescription)),
    vlanId: vlanId || undefined,
  });
}

/** Seven bits of type, nine of length (802.1AB, 8.4); type 0 ends the frame. */
function* readTlvs(bytes: Buffer): Generator<{readonly type: number; readonly value: Buffer}> {
  for (let at = 0; at + 2 <= bytes.length;) {
    const head = bytes.readUInt16BE(at);
    const end = at + 2 + (head & 0x1ff);
    if (head === 0 || end > bytes.length) return;
    yield {type: head >> 9, value: bytes.subarray(at + 2, end)};
    at = end;
  }
}

/** One byte says what kind of id follows. */
function readId(type: number, value: Buffer | undefined): string | undefined {
  if (!value || value.length < 2) return undefined;
  const id = value.subarray(1);
  if (value[0] === macSubtypes[type] && id.length === 6)
    return (id.toString('hex').match(/../g) ?? []).join(':');
  return textOf(id);
}

const textOf = (value: Buffer | undefined): string | undefined =>
  value === undefined ? undefined : cleanText(value.toString());
