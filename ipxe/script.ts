import {BootAction} from '@muster/proto/gen/muster/v1/boot_pb.ts';
import type {BootDecision} from '@muster/proto/gen/muster/v1/boot_pb.ts';
import type {Image} from '@muster/proto/gen/muster/v1/images_pb.ts';

/** The images that a script may load. */
export type ScriptImages = {
  readonly find: (imageId: string) => Image | undefined;
  readonly registrationFull: Image | undefined;
  readonly registrationVirtual: Image | undefined;
};

const reasonCharactersMax = 200;

/** What iPXE knows about the machine. Free text goes as hexraw: iPXE sends `&`, `/` and `+` of uristring raw. */
const identity = [
  'mac=${netX/mac:hexhyp}',
  'mac=${net0/mac:hexhyp}',
  'mac=${net1/mac:hexhyp}',
  'mac=${net2/mac:hexhyp}',
  'mac=${net3/mac:hexhyp}',
  'uuid=${uuid}',
  'serial=${serial:hexraw}',
  'product=${product:hexraw}',
  'manufacturer=${manufacturer:hexraw}',
  'asset=${asset:hexraw}',
  'platform=${platform}',
  'buildarch=${buildarch}',
  'busid=${netX/busid:hexraw}',
  'ip=${netX/ip}',
].join('&');

const reporter = 'mac=${netX/mac:hexhyp}&uuid=${uuid}&serial=${serial:hexraw}';
const fetcher = 'mac=${netX/mac:hexhyp}';

/** virtio-net, transitional and modern, as `${netX/busid:hexraw}`. Never `chip`: with snponly.efi it reads SNP. */
const virtualBusIds = ['011af41000', '011af41041'] as const;

/**
 * Ends every script, so that no failure leaves a machine stranded: asks through the present NIC, then through each NIC in turn, reports
 * each failed step, sleeps 5 s longer each time up to 60 s, and begins again. The variable `pause` lives on across scripts.
 * DHCPv4 alone comes first: iPXE waits 13 s for IPv6 autoconfiguration where there is none.
 */
const searchLines = [
  ':search',
  'set step script',
  `chain --replace --autofree /boot.ipxe?${identity} || goto search_failed`,
  ':search_failed',
  'set code ${errno}',
  'echo Muster: no boot script through ${netX/mac}: ${code}',
  `chain --autofree /boot/report?step=\${step}&errno=\${code}&${reporter} ||`,
  'set index:int32 0',
  ':nic',
  'isset ${net${index}/mac} || goto wait',
  'echo Muster: trying net${index} ${net${index}/mac}',
  'ifclose',
  'set step dhcp',
  'ifconf --configurator dhcp net${index} || ifconf net${index} || goto nic_failed',
  'set step script',
  `chain --replace --autofree /boot.ipxe?${identity} || goto nic_failed`,
  ':nic_failed',
  'set code ${errno}',
  'echo Muster: ${step} failed on net${index}: ${code}',
  `chain --autofree /boot/report?step=\${step}&errno=\${code}&nic=net\${index}&${reporter} ||`,
  'inc index',
  'goto nic',
  ':wait',
  'isset ${pause} || set pause:int32 0',
  'iseq ${pause} 60 || inc pause 5',
  'echo Muster: asking again in ${pause} s',
  'sleep ${pause}',
  'goto search',
];

const failedLines = [
  ':failed',
  'set code ${errno}',
  'echo Muster: ${step} failed: ${code}',
  'imgfree',
  `chain --autofree /boot/report?step=\${step}&errno=\${code}&${reporter} ||`,
  'goto wait',
];

/** Static: what every machine runs first. Asks for its own script with all that iPXE knows. */
export const bootstrapScript = toScript([
  'echo Muster: asking for the boot script of this machine',
  ...searchLines,
]);

/** For a key that names no machine, or several: the machine asks again with all its keys. */
export const askAgainScript = toScript([
  'echo Muster: this name is not enough, asking with all that identifies this machine',
  ...searchLines,
]);

/** The answer to a report: nothing to do. */
export const emptyScript = '#!ipxe\n';

/**
 * The script for a decision; always a valid one. Static per decision: no address, session or token in it, so that it can be cached.
 * `note` is shown first.
 */
export function renderScript(decision: BootDecision, images: ScriptImages, note?: string): string {
  const opening = note === undefined ? [] : [echo(note)];
  return toScript([...opening, ...decisionLines(decision, images)]);
}

/** Why an image cannot stand in a script: undefined when it can. The image store is trusted for content, not for iPXE syntax. */
export function imageProblem(image: Image): string | undefined {
  const files = [image.kernel, ...image.initrds, ...image.layers];
  for (const file of files) {
    if (!file) return `Cannot boot image "${image.id}": it has no kernel`;
    if (!/^[0-9a-f]{64}$/.test(file.sha256) || !/^[a-zA-Z0-9][a-zA-Z0-9._-]{0,63}$/.test(file.name))
      return `Cannot boot image "${image.id}": "${file.name}" is no valid artifact`;
  }
  if (image.initrds.length === 0) return `Cannot boot image "${image.id}": it has no initrd`;
  if (!/^[\x20-\x7e]*$/.test(image.commandLine) || /\$\{|&&|\|\|/.test(image.commandLine))
    return `Cannot boot image "${image.id}": its command line holds iPXE syntax`;
  return undefined;
}

function decisionLines(decision: BootDecision, images: ScriptImages): readonly string[] {
  switch (decision.action) {
    case BootAction.LOCAL_DISK:
      // `exit 1`: a plain `exit` lands in the firmware's menu on OVMF.
      return [echo(`starting from the local disk: ${decision.reason}`), 'exit 1'];
    case BootAction.IMAGE:
      return imageDecisionLines(decision, images.find(decision.imageId));
    case BootAction.REGISTRATION:
      return registrationLines(decision, images);
    case BootAction.RETRY:
    case BootAction.UNSPECIFIED:
    default:
      return retryLines(`waiting: ${decision.reason}`);
  }
}

function imageDecisionLines(decision: BootDecision, image: Image | undefined): readonly string[] {
  if (!image) return retryLines(`waiting for image ${decision.imageId.slice(0, 12)}`);
  const problem = imageProblem(image);
  if (problem !== undefined) return retryLines(problem);
  return [
    echo(`starting image ${image.id.slice(0, 12)}: ${decision.reason}`),
    ...loadLines(image),
    ...failedLines,
    ...searchLines,
  ];
}

function registrationLines(decision: BootDecision, images: ScriptImages): readonly string[] {
  const full = bootable(images.registrationFull);
  const virtual = bootable(images.registrationVirtual);
  if (!full && !virtual) return retryLines('waiting: no registration image exists yet');
  return [
    echo(`starting the registration image: ${decision.reason}`),
    ...(virtual
      ? virtualBusIds.map(id => `iseq x\${netX/busid:hexraw} x${id} && goto virtual ||`)
      : []),
    ...(full
      ? loadLines(full)
      : [echo('waiting: no registration image for real hardware exists yet'), 'goto wait']),
    ...(virtual ? [':virtual', ...loadLines(virtual)] : []),
    ...failedLines,
    ...searchLines,
  ];
}

function bootable(image: Image | undefined): Image | undefined {
  return image && imageProblem(image) === undefined ? image : undefined;
}

function retryLines(message: string): readonly string[] {
  return [echo(message), 'goto wait', ...searchLines];
}

/** One `initrd=NAME` for each file: UEFI silently leaves out an unnamed one. boot.cpio comes last (docs/boot.md). */
function loadLines(image: Image): readonly string[] {
  const {kernel} = image;
  if (!kernel) return [];
  const names = [...image.initrds.map(initrd => initrd.name), 'boot.cpio'];
  const kernelArguments = [...names.map(name => `initrd=${name}`), image.commandLine.trim()];
  return [
    'set step kernel',
    `kernel ${artifactUrl(kernel)} ${kernelArguments.join(' ').trim()} || goto failed`,
    'set step initrd',
    ...image.initrds.map(file => `initrd --name ${file.name} ${artifactUrl(file)} || goto failed`),
    'set step token',
    `initrd --name boot.cpio /boot/token.cpio?${reporter}&image=${image.id} || goto failed`,
    'set step boot',
    'boot || goto failed',
    'goto failed',
  ];
}

function artifactUrl({sha256, name}: {readonly sha256: string; readonly name: string}): string {
  return `/images/sha256/${sha256}/${name}?${fetcher}`;
}

/** Text from elsewhere must not become iPXE syntax: no settings, quotes, operators. */
function echo(text: string): string {
  const safe = text
    .replaceAll(/[^A-Za-z0-9 .,:()/_+=-]/g, ' ')
    .replaceAll(/ +/g, ' ')
    .trim();
  return `echo Muster: ${safe.slice(0, reasonCharactersMax)}`;
}

function toScript(lines: readonly string[]): string {
  return `#!ipxe\n${lines.join('\n')}\n`;
}
