/** TFTP on the wire: RFC 1350, options by RFC 2347, 2348 (blksize), 2349 (tsize, timeout), 7440 (windowsize). */

const requestBytesMax = 512;
const optionsMax = 16;
const defaultBlockBytes = 512;
const blockBytesMin = 8;
export const windowBlocksMax = 64;

const opcode = {read: 1, write: 2, data: 3, ack: 4, error: 5, optionAck: 6} as const;

/** RFC 1350, appendix. */
export const errorCode = {
  undefined: 0,
  notFound: 1,
  accessViolation: 2,
  illegalOperation: 4,
  optionRefused: 8,
} as const;

export type TransferMode = 'octet' | 'netascii';

export type Packet =
  | {
      readonly op: 'read';
      readonly name: string;
      readonly mode: string;
      /** Names in lower case: they are case-insensitive (RFC 2347). */
      readonly options: ReadonlyMap<string, string>;
    }
  | {readonly op: 'write'; readonly name: string}
  | {readonly op: 'ack'; readonly block: number}
  | {readonly op: 'error'; readonly code: number; readonly message: string};

/** Undefined for everything that a server has no use for. Never throws, whatever the bytes are. */
export function parsePacket(bytes: Buffer): Packet | undefined {
  if (bytes.length < 4) return undefined;
  switch (bytes.readUInt16BE(0)) {
    case opcode.read:
    case opcode.write:
      return parseRequest(bytes);
    case opcode.ack:
      return {op: 'ack', block: bytes.readUInt16BE(2)};
    case opcode.error:
      return {
        op: 'error',
        code: bytes.readUInt16BE(2),
        message: bytes.toString('latin1', 4, 132).replace(/\0.*$/s, ''),
      };
    default:
      return undefined;
  }
}

function parseRequest(bytes: Buffer): Packet | undefined {
  // Each string ends with a zero byte; some firmware sends junk after the last one.
  const end = bytes.lastIndexOf(0);
  if (bytes.length > requestBytesMax || end < 4) return undefined;
  const [name = '', mode = '', ...rest] = bytes.toString('latin1', 2, end).split('\0');
  if (name === '' || mode === '') return undefined;
  if (bytes.readUInt16BE(0) === opcode.write) return {op: 'write', name};

  const options = new Map<string, string>();
  for (let index = 0; index + 1 < rest.length && options.size < optionsMax; index += 2) {
    const option = rest[index]?.toLowerCase() ?? '';
    if (option !== '' && !options.has(option)) options.set(option, rest[index + 1] ?? '');
  }
  return {op: 'read', name, mode: mode.toLowerCase(), options};
}

export type Terms = {
  readonly blockBytes: number;
  readonly windowBlocks: number;
  /** As the client asked; undefined: the server measures. */
  readonly timeoutMs: number | undefined;
  /** What was accepted; undefined when the client asked for nothing that is understood: no OACK then. */
  readonly optionAck: Buffer | undefined;
};

/** An option with a senseless value is treated as if it had not been sent (RFC 2347: the server may omit it). */
export function agreeOnTerms(
  options: ReadonlyMap<string, string>,
  sizeBytes: number,
  blockBytesMax: number,
): Terms {
  const number = (name: string, minimum: number, maximum: number) => {
    const text = options.get(name);
    if (text === undefined || !/^\d{1,10}$/.test(text)) return undefined;
    const value = Number(text);
    return value >= minimum && value <= maximum ? value : undefined;
  };
  const blksize = number('blksize', blockBytesMin, 65_464);
  const windowsize = number('windowsize', 1, 65_535);
  const timeout = number('timeout', 1, 255);

  const accepted: [string, number][] = [];
  if (blksize !== undefined) accepted.push(['blksize', Math.min(blksize, blockBytesMax)]);
  if (windowsize !== undefined)
    accepted.push(['windowsize', Math.min(windowsize, windowBlocksMax)]);
  if (timeout !== undefined) accepted.push(['timeout', timeout]);
  if (number('tsize', 0, 9_999_999_999) !== undefined) accepted.push(['tsize', sizeBytes]);
  return {
    blockBytes: Math.min(blksize ?? defaultBlockBytes, blockBytesMax),
    windowBlocks: Math.min(windowsize ?? 1, windowBlocksMax),
    timeoutMs: timeout === undefined ? undefined : timeout * 1000,
    optionAck: accepted.length === 0 ? undefined : encodeOptionAck(accepted),
  };
}

export function encodeDataHeader(block: number): Buffer {
  const header = Buffer.allocUnsafe(4);
  header.writeUInt16BE(opcode.data, 0);
  header.writeUInt16BE(block & 0xffff, 2);
  return header;
}

export function encodeError(code: number, message: string): Buffer {
  return Buffer.concat([
    Buffer.from([0, opcode.error, 0, code]),
    Buffer.from(`${message}\0`, 'latin1'),
  ]);
}

/** RFC 764 line ends: LF as CR LF, CR as CR NUL (RFC 1350, 1). */
export function toNetascii(content: Buffer): Buffer {
  return Buffer.from(
    content.toString('latin1').replaceAll(/[\r\n]/g, end => (end === '\n' ? '\r\n' : '\r\0')),
    'latin1',
  );
}

function encodeOptionAck(options: readonly (readonly [string, number])[]): Buffer {
  const text = options.map(([name, value]) => `${name}\0${value}\0`).join('');
  return Buffer.concat([Buffer.from([0, opcode.optionAck]), Buffer.from(text, 'latin1')]);
}
