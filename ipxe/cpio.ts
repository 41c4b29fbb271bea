/** Initrds are joined at multiples of 512 by our own rule, of 4 by the kernel's (docs/boot.md). */
const archiveAlignmentBytes = 512;
const directoryMode = 0o040755;
const trailerName = 'TRAILER!!!';

type Entry = {readonly name: string; readonly mode: number; readonly data: Buffer};

/**
 * One file in one directory as a "newc" archive (cpio(5); kernel: Documentation/driver-api/early-userspace/buffer-format.rst),
 * owned by root, without times, zero padded to 512 bytes.
 */
export function writeCpio(directory: string, file: Entry): Buffer {
  const entries: readonly Entry[] = [
    {name: directory, mode: directoryMode, data: Buffer.alloc(0)},
    {...file, name: `${directory}/${file.name}`, mode: 0o100000 | file.mode},
    {name: trailerName, mode: 0, data: Buffer.alloc(0)},
  ];
  const archive = Buffer.concat(
    entries.flatMap((entry, index) => [
      padTo(header(entry, entry.name === trailerName ? 0 : index + 1), 4),
      padTo(entry.data, 4),
    ]),
  );
  return padTo(archive, archiveAlignmentBytes);
}

function header({name, mode, data}: Entry, inode: number): Buffer {
  const links = name === trailerName ? 1 : mode === directoryMode ? 2 : 1;
  const nameBytes = Buffer.byteLength(name) + 1;
  // Inode, mode, uid, gid, links, mtime, size, device major and minor, special device major and minor, name size, check.
  const fields = [inode, mode, 0, 0, links, 0, data.length, 0, 0, 0, 0, nameBytes, 0];
  const text = fields.map(field => field.toString(16).toUpperCase().padStart(8, '0')).join('');
  return Buffer.from(`070701${text}${name}\0`);
}

function padTo(buffer: Buffer, alignment: number): Buffer {
  const rest = buffer.length % alignment;
  return rest === 0 ? buffer : Buffer.concat([buffer, Buffer.alloc(alignment - rest)]);
}
