/**
 * What identifies hardware, in one form each. Firmware is full of values that look like identifiers and are none; a parser gives undefined for
 * them, so that nothing behind it ever compares junk.
 */

/** What firmware and machines send, fit to be stored and shown: no control characters, no half surrogates, not longer than `lengthMax`. */
export function printable(text: string, lengthMax: number): string {
  return text
    .toWellFormed()
    .replace(/\p{Cc}+/gu, ' ')
    .trim()
    .slice(0, lengthMax)
    .toWellFormed();
}

/** Lower case with colons. Takes colons, hyphens, Cisco's dots or bare digits; undefined when the text is no MAC-48. */
export function parseMacAddress(text: string): string | undefined {
  const trimmed = text.trim();
  const forms = /^(?:[0-9a-f]{2}([:-]))(?:[0-9a-f]{2}\1){4}[0-9a-f]{2}$|^[0-9a-f]{12}$/i;
  if (!forms.test(trimmed) && !/^(?:[0-9a-f]{4}\.){2}[0-9a-f]{4}$/i.test(trimmed)) return undefined;
  const digits = trimmed.replace(/[^0-9a-f]/gi, '').toLowerCase();
  return (digits.match(/../g) ?? []).join(':');
}

/** How far a MAC tells machines apart. */
export type MacKind =
  /** Given by the vendor. */
  | 'universal'
  /** Locally administered (IEEE 802, bit 1 of the first octet): made up by software, so another machine may have it. */
  | 'local'
  /** Known to be on many machines: docks, modems, the USB link to a BMC, bridges. */
  | 'shared';

/** Undefined for zero, broadcast, group and example addresses. */
export function macKind(mac: string): MacKind | undefined {
  if (exampleMacs.has(mac) || /^(..)(:\1){5}$/.test(mac)) return undefined;
  const first = Number.parseInt(mac.slice(0, 2), 16);
  if ((first & 1) === 1) return undefined;
  if (sharedMacs.some(prefix => mac.startsWith(prefix))) return 'shared';
  return (first & 2) === 2 ? 'local' : 'universal';
}

/** Lower case with hyphens; undefined when it is no UUID or one that firmware ships as a filler. */
export function parseUuid(text: string): string | undefined {
  const digits = text.trim().replace(/[{}-]/g, '').toLowerCase();
  if (!/^[0-9a-f]{32}$/.test(digits)) return undefined;
  if (fillerUuids.has(digits) || /^(.)\1*$/.test(digits)) return undefined;
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** Upper case, single spaces; undefined for fillers, counting digits, one repeated character, and anything too short to tell apart. */
export function parseSerial(text: string): string | undefined {
  const serial = text
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim()
    .toUpperCase();
  const core = serial.replace(/[^A-Z0-9]/g, '');
  if (core.length < 3 || serial.length > serialLengthMax) return undefined;
  if (fillerSerials.has(core) || fillerPatterns.some(pattern => pattern.test(core)))
    return undefined;
  if (/^(.)\1*$/.test(core) || isCounting(core)) return undefined;
  return serial;
}

const serialLengthMax = 128;

/** "123456789", "0123456789", "87654321": typed by somebody in a hurry. */
function isCounting(core: string): boolean {
  if (core.length < 5 || !/^\d+$/.test(core)) return false;
  const digits = Array.from(core, Number);
  const steps = new Set(
    digits.slice(1).map((digit, index) => (digit - (digits[index] ?? 0) + 10) % 10),
  );
  return steps.size === 1 && (steps.has(1) || steps.has(9));
}

const exampleMacs: ReadonlySet<string> = new Set([
  '00:11:22:33:44:55',
  '00:01:02:03:04:05',
  '01:23:45:67:89:ab',
  '12:34:56:78:9a:bc',
  '00:00:00:00:00:01',
  'de:ad:be:ef:00:00',
  '02:00:00:00:00:00',
]);

/** Whole addresses or prefixes. */
const sharedMacs: readonly string[] = [
  'be:3a:f2:b6:05:9f', // USB link to AMI's BMC
  'ac:de:48:00:11:22', // Apple T2
  '02:80:37:ec:02:00', // WWAN modules
  '0c:5b:8f:27:9a:64', // Huawei HiLink modems
  '58:2c:80:13:92:63', // Huawei HiLink modems
  '00:e0:4c:68:', // Realtek USB adapters and docks without a programmed address
  '00:e0:4c:36:',
  'fe:ff:ff:ff:ff:ff', // Xen bridge ports
  'fe:54:00:', // libvirt taps
  '02:42:', // Docker bridges
];

const fillerUuids: ReadonlySet<string> = new Set([
  '03000200040005000006000700080009',
  '00020003000400050006000700080009',
  '12345678123456789012345678901234',
  '123456781234567890abcddeefaabbcc',
  '11111111222233334444555555555555',
  '00112233445566778899aabbccddeeff',
  '0123456789abcdef0123456789abcdef',
  // A Dell board without a service tag.
  '4c4c454400002010802080c04f202020',
]);

/** Letters and digits only, upper case. */
const fillerSerials: ReadonlySet<string> = new Set([
  'NONE',
  'NULL',
  'NIL',
  'UNKNOWN',
  'UNDEFINED',
  'INVALID',
  'EMPTY',
  'DEFAULT',
  'DEFAULTSTRING',
  'OEM',
  'SERIAL',
  'SERIALNUMBER',
  'SYSTEMSERIALNUMBER',
  'SYSTEMSERIAL',
  'CHASSISSERIALNUMBER',
  'CHASSISSERIAL',
  'BASEBOARDSERIALNUMBER',
  'BOARDSERIALNUMBER',
  'MBSERIAL',
  'NOSERIAL',
  'NOASSETTAG',
  'ASSETTAG',
  'NOTSPECIFIED',
  'NOTAPPLICABLE',
  'NOTAVAILABLE',
  'NOTPRESENT',
  'NOTPROVIDED',
  'NOTSETTABLE',
  'NOTSET',
  'NODIMM',
  'TBD',
  'TEST',
  'EVAL',
  '123ABC',
  '1234ABCD',
  '0123456789ABCDEF',
  '123456789ABC',
]);

const fillerPatterns: readonly RegExp[] = [
  /^TOBEFILLED/,
  /^FILLEDBY/,
  /^TYPE\d.*SERIALNUMBER/,
  /^SERNUM\d*$/,
  /^ASSET1234567890$/,
  // Every QEMU machine numbers its disks like this.
  /^QM0000\d$/,
];
