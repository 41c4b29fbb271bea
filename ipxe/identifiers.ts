/** What names a machine in a boot request. Parsed once, at the edge of the process; everything behind works on these forms only. */
export type MachineKeys = {
  /** Lower case with colons. */
  readonly macAddresses: readonly string[];
  /** Lower case with hyphens; undefined when absent or junk. */
  readonly uuid: string | undefined;
  /** As the firmware spells it, trimmed; undefined when absent or junk. */
  readonly serial: string | undefined;
};

const serialCharactersMax = 128;
const bareMac = /^[0-9a-f]{12}$/;
const separatedMac = /^[0-9a-f]{2}(?:([:-])[0-9a-f]{2})(?:\1[0-9a-f]{2}){4}$/;
const bareUuid = /^[0-9a-f]{32}$/;
const hyphenatedUuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const hexPairs = /^(?:[0-9a-f]{2})+$/i;
const printableAscii = /^[\x20-\x7e]+$/;

/** Values that boards carry by the thousand: they name no machine. */
const junkUuids: ReadonlySet<string> = new Set([
  '03000200-0400-0500-0006-000700080009',
  '00020003-0004-0005-0006-000700080009',
  '12345678-1234-5678-90ab-cddeefaabbcc',
  '11111111-2222-3333-4444-555555555555',
]);
const junkSerials: ReadonlySet<string> = new Set([
  'TO BE FILLED BY O.E.M.',
  'TO BE FILLED BY OEM',
  'DEFAULT STRING',
  'SYSTEM SERIAL NUMBER',
  'CHASSIS SERIAL NUMBER',
  'BASE BOARD SERIAL NUMBER',
  'SERIAL NUMBER',
  'NOT SPECIFIED',
  'NOT APPLICABLE',
  'NOT AVAILABLE',
  'UNKNOWN',
  'NONE',
  'NULL',
  'INVALID',
  'EMPTY',
  'OEM',
  'O.E.M.',
  'N/A',
  'NA',
  '0123456789',
  '123456789',
  '1234567890',
  '12345678',
]);

/** `52:54:00:aa:00:01`, `52-54-00-aa-00-01` or `525400aa0001`, any case. Undefined for anything else, and for addresses of no single card. */
export function parseMacAddress(text: string): string | undefined {
  const lower = text.trim().toLowerCase();
  if (!bareMac.test(lower) && !separatedMac.test(lower)) return undefined;

  const digits = lower.replaceAll(/[:-]/g, '');
  const isGroup = (Number.parseInt(digits.slice(0, 2), 16) & 1) === 1;
  if (isGroup || /^0+$/.test(digits)) return undefined;
  return digits.replaceAll(/(..)(?=.)/g, '$1:');
}

/** With or without hyphens, any case. Undefined for anything else, and for values that name no machine. */
export function parseUuid(text: string): string | undefined {
  const lower = text.trim().toLowerCase();
  if (!hyphenatedUuid.test(lower) && !bareUuid.test(lower)) return undefined;

  const digits = lower.replaceAll('-', '');
  if (isOneCharacter(digits)) return undefined;
  const uuid = [
    digits.slice(0, 8),
    digits.slice(8, 12),
    digits.slice(12, 16),
    digits.slice(16, 20),
    digits.slice(20),
  ].join('-');
  return junkUuids.has(uuid) ? undefined : uuid;
}

/** Undefined when it is empty, too long, not printable, or one of the fillers that boards carry by the thousand. */
export function parseSerial(text: string): string | undefined {
  const serial = text.trim();
  if (serial.length > serialCharactersMax || !printableAscii.test(serial)) return undefined;
  if (isOneCharacter(serial) || junkSerials.has(serial.toUpperCase())) return undefined;
  return serial;
}

/** Serials are compared without regard to case: people type service tags in lower case. */
export function serialKey(serial: string): string {
  return serial.toUpperCase();
}

/**
 * Free text as iPXE sends it in `:hexraw` form. A person with curl writes it plainly: what does not decode to printable text is
 * taken as it stands.
 */
export function decodeFreeText(value: string): string {
  if (!hexPairs.test(value)) return value;
  const decoded = Buffer.from(value, 'hex').toString('latin1').replace(/\0+$/, '');
  return printableAscii.test(decoded) ? decoded : value;
}

/** `::ffff:10.0.0.1` and `fe80::1%eth0` as everybody else writes them. */
export function plainIpAddress(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  return mapped ?? address.replace(/%.*$/, '');
}

function isOneCharacter(text: string): boolean {
  return text === (text[0] ?? '').repeat(text.length);
}
