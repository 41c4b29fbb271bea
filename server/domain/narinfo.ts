/** What a binary cache of Nix says about one store path, checked (nix, src/libstore/nar-info.cc). */
export type NarInfo = {
  readonly storePath: string;
  /** Of the compressed archive. */
  readonly fileSha256: string;
  readonly fileSizeBytes: number;
  /** As it is signed: "sha256:" and 52 characters. */
  readonly narHash: string;
  readonly narSizeBytes: number;
  /** Base names, in order. */
  readonly references: readonly string[];
  readonly deriver: string | undefined;
  readonly contentAddress: string | undefined;
  readonly signatures: readonly string[];
};

const hashCharacters = '0123456789abcdfghijklmnpqrsvwxyz';
const baseName = /^[0-9a-df-np-sv-z]{32}-[0-9A-Za-z+._?=-]{1,211}$/;
const nixSha256 = /^sha256:[01][0-9a-df-np-sv-z]{51}$/;
const signatureForm = /^[0-9A-Za-z._-]{1,128}:[0-9A-Za-z+/]{86}==$/;
const signaturesMax = 16;
const sizeDigitsMax = 15;

/** Throws a sentence's end, "its ... is ...", when it is not in order. */
export function parseNarInfo(text: string): NarInfo {
  const fields = new Map<string, string>();
  const signatures: string[] = [];
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const [, name, value] = /^([A-Za-z]{1,32}): ?([\x20-\x7e]*)$/.exec(line) ?? [];
    if (name === undefined || value === undefined)
      throw new Error('it has a line that is no field');
    if (name === 'Sig') signatures.push(value);
    else if (fields.has(name)) throw new Error(`it has two fields "${name}"`);
    else fields.set(name, value);
  }
  const field = (name: string, form: RegExp): string => {
    const value = fields.get(name) ?? '';
    if (!form.test(value)) throw new Error(`its ${name} is "${value.slice(0, 100)}"`);
    return value;
  };
  const size = (name: string): number =>
    Number(field(name, new RegExp(`^[1-9]\\d{0,${sizeDigitsMax - 1}}$`)));
  const optional = (name: string, form: RegExp): string | undefined =>
    fields.get(name) ? field(name, form) : undefined;

  const storePath = field('StorePath', /^(\/[\w.+-]+)+\/[^/]+$/);
  const references = (fields.get('References') ?? '').split(' ').filter(name => name !== '');
  for (const name of [storePath.slice(storePath.lastIndexOf('/') + 1), ...references])
    if (!baseName.test(name)) throw new Error(`"${name.slice(0, 250)}" names no store path`);
  if (signatures.length > signaturesMax || !signatures.every(text => signatureForm.test(text)))
    throw new Error(`it has signatures of another form, or more than ${signaturesMax}`);
  field('Compression', /^zstd$/);
  return {
    storePath,
    fileSha256: toHexadecimal(field('FileHash', nixSha256)),
    fileSizeBytes: size('FileSize'),
    narHash: field('NarHash', nixSha256),
    narSizeBytes: size('NarSize'),
    references,
    deriver: optional('Deriver', baseName),
    contentAddress: optional('CA', /^[0-9a-z:-]{1,200}$/),
    signatures,
  };
}

/** As machines get it. The archive has the same name as in the image store. */
export function renderNarInfo(info: NarInfo): string {
  const {fileSha256, deriver, contentAddress} = info;
  return [
    `StorePath: ${info.storePath}`,
    `URL: nar/${fileSha256}.nar.zst`,
    'Compression: zstd',
    `FileHash: sha256:${fileSha256}`,
    `FileSize: ${info.fileSizeBytes}`,
    `NarHash: ${info.narHash}`,
    `NarSize: ${info.narSizeBytes}`,
    `References: ${info.references.join(' ')}`,
    ...(deriver === undefined ? [] : [`Deriver: ${deriver}`]),
    ...info.signatures.map(signature => `Sig: ${signature}`),
    ...(contentAddress === undefined ? [] : [`CA: ${contentAddress}`]),
    '',
  ].join('\n');
}

/** What is signed: the path, its content and what it refers to, whatever the compression. */
export function fingerprintOf({storePath, narHash, narSizeBytes, references}: NarInfo): string {
  const folder = storePath.slice(0, storePath.lastIndexOf('/') + 1);
  const paths = references.map(name => `${folder}${name}`);
  return `1;${storePath};${narHash};${narSizeBytes};${paths.join(',')}`;
}

/** The 32 characters that name a store path, of the path or of its base name. */
export const hashOf = (storePath: string): string =>
  storePath.slice(storePath.lastIndexOf('/') + 1).slice(0, 32);

/** Nix writes the bits of a hash in groups of 5, the last ones first. */
function toHexadecimal(hash: string): string {
  const digits = hash.slice(hash.indexOf(':') + 1);
  let value = 0n;
  for (const digit of digits) value = value * 32n + BigInt(hashCharacters.indexOf(digit));
  // Written so, the first byte is the lowest.
  return Buffer.from(value.toString(16).padStart(64, '0'), 'hex').reverse().toString('hex');
}
