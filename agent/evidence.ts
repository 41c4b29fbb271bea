import type {EvidenceJson} from '@muster/proto/gen/muster/v1/agents_pb.ts';
import {readFile} from './files.ts';
import {readBmcMac} from './inventory/bmc.ts';
import {listDisks, readDiskSerial} from './inventory/disks.ts';
import {readFirmwareMode} from './inventory/firmware.ts';
import {listNics, readPermanentMac} from './inventory/nics.ts';
import {readMemory} from './inventory/smbios-hardware.ts';
import {collectSystem, readSmbios} from './inventory/system.ts';
import {readEkHash} from './inventory/tpm.ts';
import {openTree, type Tree} from './inventory/tree.ts';
import {compact, parseObject} from './json.ts';
import type {Tools} from './run-command.ts';
import {pause} from './waits.ts';

export const evidenceBytesMax = 64 * 1024;
const macCountMax = 256;
const serialCountMax = 1024;
const serialLengthMax = 128;
const nameLengthMax = 256;
/** A BMC or TPM that does not answer must not hold up the enrolment. */
const slowSourceTimeoutMs = 5000;

/** What identifies the machine, read from the kernel alone but for the BMC's address: quick, because the boot waits for it. */
export async function collectEvidence(
  root: string,
  tools: Tools,
  bootMacAddress: string | undefined,
): Promise<EvidenceJson> {
  const tree = openTree(root);
  const smbios = await readSmbios(tree);
  const source = {tree, tools, smbios, isOwnMachine: root === '/'};
  const [{system, baseboard, chassis}, macs, disks, bmcMac, ekHash, firmwareMode] =
    await Promise.all([
      collectSystem(source),
      readMacs(tree, tools),
      readDiskSerials(tree),
      withinTime(readBmcMac(tree, tools)),
      withinTime(readEkHash(tree)),
      readFirmwareMode(tree),
    ]);
  const dimms = smbios ? (readMemory(smbios)?.dimms ?? []) : [];
  return fitEvidence(
    compact<EvidenceJson>({
      uuid: system?.uuid,
      systemSerial: system?.serial,
      boardSerial: baseboard?.serial,
      chassisSerial: chassis?.serial,
      macAddresses: macs,
      bmcMacAddress: bmcMac,
      tpmEkHash: ekHash,
      diskSerials: disks,
      dimmSerials: dimms.flatMap(({serial}) => serial ?? []),
      manufacturer: system?.manufacturer,
      product: system?.product,
      bootMacAddress,
      firmwareMode,
    }),
  );
}

/** JSON of muster.v1.Evidence in the form of proto-JSON. Throws when the file holds something else. */
export async function readEvidenceFile(path: string): Promise<EvidenceJson> {
  const object = parseObject(await readFile(path, 'utf8'));
  if (!object) throw new Error(`Cannot use the evidence in "${path}": it is no JSON object`);
  return fitEvidence(object);
}

/** Cut to what the server takes (muster.v1.Evidence): a refused enrolment helps nobody. */
export function fitEvidence(evidence: EvidenceJson): EvidenceJson {
  const texts = (values: readonly string[] | undefined, countMax: number) =>
    [...new Set(values)].slice(0, countMax).map(value => value.slice(0, serialLengthMax));
  const cut = (value: string | undefined, lengthMax = serialLengthMax) =>
    value?.slice(0, lengthMax);
  let fitted = compact<EvidenceJson>({
    ...evidence,
    systemSerial: cut(evidence.systemSerial),
    boardSerial: cut(evidence.boardSerial),
    chassisSerial: cut(evidence.chassisSerial),
    manufacturer: cut(evidence.manufacturer, nameLengthMax),
    product: cut(evidence.product, nameLengthMax),
    macAddresses: texts(evidence.macAddresses, macCountMax),
    diskSerials: texts(evidence.diskSerials, serialCountMax),
    dimmSerials: texts(evidence.dimmSerials, serialCountMax),
  });
  // Half of the longer list at a time: a thousand disks weigh more than any limit for a machine needs.
  while (Buffer.byteLength(JSON.stringify(fitted)) > evidenceBytesMax) {
    const disks = fitted.diskSerials ?? [];
    const dimms = fitted.dimmSerials ?? [];
    if (disks.length === 0 && dimms.length === 0) break;
    fitted =
      disks.length >= dimms.length
        ? {...fitted, diskSerials: disks.slice(0, Math.floor(disks.length / 2))}
        : {...fitted, dimmSerials: dimms.slice(0, Math.floor(dimms.length / 2))};
  }
  return fitted;
}

/** The permanent addresses; where a driver does not tell, the current one. */
async function readMacs(tree: Tree, tools: Tools): Promise<string[]> {
  const names = await listNics(tree);
  const macs = await Promise.all(
    names.map(
      async name =>
        (await readPermanentMac(tree, name, tools)) ??
        (await tree.text(`/sys/class/net/${name}/address`)),
    ),
  );
  // InfiniBand addresses have 20 bytes and change with the fabric.
  return macs.flatMap(mac => (mac?.length === 17 ? [mac] : []));
}

async function readDiskSerials(tree: Tree): Promise<string[]> {
  const names = await listDisks(tree);
  const serials = await Promise.all(
    // A USB stick or a BMC's virtual disk is here today and gone tomorrow.
    names.map(async name =>
      (await tree.count(`/sys/block/${name}/removable`)) === 1
        ? undefined
        : readDiskSerial(tree, name),
    ),
  );
  return serials.flatMap(serial => serial ?? []);
}

async function withinTime<T>(work: Promise<T>): Promise<T | undefined> {
  const over = new AbortController();
  try {
    return await Promise.race([
      work,
      pause(slowSourceTimeoutMs, over.signal).then(() => undefined),
    ]);
  } finally {
    over.abort();
  }
}
