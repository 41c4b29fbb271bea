import type {BuiltImage} from '../backends/backend.ts';

/**
 * The boot script of one test, in the form that the edge serves (docs/boot.md): every initrd is named on the command line, boot.json comes
 * after the image's own initrds.
 */
export function renderTestScript(image: BuiltImage): string {
  const url = (name: string, sha256: string) => `/images/sha256/${sha256}/${name}`;
  const names = [...image.initrds.map(({name}) => name), 'boot.cpio'];
  return [
    '#!ipxe',
    `kernel ${url(image.kernel.name, image.kernel.sha256)} ${names.map(name => `initrd=${name}`).join(' ')} ${image.commandLine} || goto failed`,
    ...image.initrds.map(
      ({name, sha256}) => `initrd --name ${name} ${url(name, sha256)} || goto failed`,
    ),
    'initrd --name boot.cpio /boot/token.cpio?mac=${mac:hexhyp} || goto failed',
    'boot || goto failed',
    ':failed',
    'echo MUSTER error: iPXE ${errno}',
    'exit 1',
    '',
  ].join('\n');
}
