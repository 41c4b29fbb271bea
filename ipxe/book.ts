import type {BootAnswer, BootSettings} from '@muster/proto/gen/muster/v1/boot_pb.ts';
import type {Artifact, Image} from '@muster/proto/gen/muster/v1/images_pb.ts';
import {
  type MachineKeys,
  parseMacAddress,
  parseSerial,
  parseUuid,
  serialKey,
} from './identifiers.ts';
import type {ScriptImages} from './script.ts';

/** More answers than this are refused: about 1 KiB each. */
export const answersMax = 500_000;

const strayImagesMax = 256;
const hotTagsMax = 200_000;

export type KnownMachine = {
  readonly answer: BootAnswer;
  /** Decisions with the same key have the same script. */
  readonly decisionKey: string;
};

export type Match =
  | {readonly kind: 'one'; readonly machine: KnownMachine; readonly conflict: boolean}
  | {readonly kind: 'ambiguous'}
  | {readonly kind: 'none'};

export type ArtifactRole = 'kernel' | 'initrd' | 'layer';

export type KnownArtifact = {
  readonly artifact: Artifact;
  readonly role: ArtifactRole;
  readonly imageIds: readonly string[];
};

/** A consistent step from one revision to the next; `reset` replaces everything. */
export type BookChange = {
  readonly reset: boolean;
  readonly revision: bigint;
  readonly answers: readonly BootAnswer[];
  readonly removedMachineIds: readonly string[];
  readonly images: BookImages | undefined;
  readonly settings: BootSettings | undefined;
};

export type BookImages = {
  readonly images: readonly Image[];
  readonly registrationFullImageId: string;
  readonly registrationVirtualImageId: string;
};

const noImages: BookImages = {
  images: [],
  registrationFullImageId: '',
  registrationVirtualImageId: '',
};

type Index = Map<string, KnownMachine | readonly KnownMachine[]>;

export type Book = ReturnType<typeof createBook>;

/** What this edge answers from: every machine under each key that names it, the images, the policy for strangers. In memory only. */
export function createBook() {
  const machines = new Map<string, KnownMachine>();
  const byMac: Index = new Map();
  const byUuid: Index = new Map();
  const bySerial: Index = new Map();
  /** Spellings that were asked for and name one machine: parsing is most of a look-up. */
  const hotTags = new Map<string, Match>();
  let revision = 0n;
  let imageList = noImages;
  let images: ReadonlyMap<string, Image> = new Map();
  let artifacts: ReadonlyMap<string, KnownArtifact> = new Map();
  let settings: BootSettings | undefined;
  let imagesGeneration = 0;

  function forget(id: string) {
    const machine = machines.get(id);
    if (!machine) return;
    machines.delete(id);
    for (const [index, key] of indexEntries(machine.answer)) remove(index, key, machine);
  }

  function learn(answer: BootAnswer) {
    forget(answer.machineId);
    if (machines.size >= answersMax)
      throw new Error(`Cannot hold more than ${answersMax} boot answers`);
    const machine = {answer, decisionKey: decisionKeyOf(answer)};
    machines.set(answer.machineId, machine);
    for (const [index, key] of indexEntries(answer)) add(index, key, machine);
  }

  function indexEntries(answer: BootAnswer): readonly (readonly [Index, string])[] {
    const uuid = parseUuid(answer.uuid);
    const serial = parseSerial(answer.serial);
    const macs = new Set(answer.macAddresses.flatMap(text => parseMacAddress(text) ?? []));
    return [
      ...[...macs].map(mac => [byMac, mac] as const),
      ...(uuid === undefined ? [] : [[byUuid, uuid] as const]),
      ...(serial === undefined ? [] : [[bySerial, serialKey(serial)] as const]),
    ];
  }

  function index(list: readonly Image[]) {
    images = new Map(list.map(image => [image.id, image]));
    artifacts = indexArtifacts(list);
    imagesGeneration++;
  }

  return {
    get revision() {
      return revision;
    },
    get size() {
      return machines.size;
    },
    get settings() {
      return settings;
    },
    get imageList() {
      return imageList;
    },
    /** Grows whenever the images change: rendered scripts of an older generation are stale. */
    get imagesGeneration() {
      return imagesGeneration;
    },
    answers: () => machines.values(),

    apply(change: BookChange) {
      hotTags.clear();
      if (change.reset) for (const map of [machines, byMac, byUuid, bySerial]) map.clear();
      for (const id of change.removedMachineIds) forget(id);
      for (const answer of change.answers) learn(answer);
      if (change.settings) settings = change.settings;
      if (change.images) {
        imageList = change.images;
        index(imageList.images);
      }
      revision = change.revision;
    },

    /** An image that an answer named before the book did; forgotten with the next list of images. */
    addImage(image: Image) {
      if (images.has(image.id) || images.size >= imageList.images.length + strayImagesMax) return;
      index([...images.values(), image]);
    },

    /** MAC first, then UUID, then serial. A key that names several machines names none of them. */
    find(keys: MachineKeys): Match {
      const named = [
        ...keys.macAddresses.map(mac => byMac.get(mac)),
        keys.uuid === undefined ? undefined : byUuid.get(keys.uuid),
        keys.serial === undefined ? undefined : bySerial.get(serialKey(keys.serial)),
      ];
      return judge(named);
    },

    /** One key of unknown kind, as it stands in `/nixos/machines/<tag>.ipxe`. */
    findTag(tag: string): Match {
      const hot = hotTags.get(tag);
      if (hot) return hot;
      const mac = parseMacAddress(tag);
      const uuid = mac === undefined ? parseUuid(tag) : undefined;
      const serial = parseSerial(tag);
      const match = judge([
        serial === undefined ? undefined : bySerial.get(serialKey(serial)),
        mac === undefined ? undefined : byMac.get(mac),
        uuid === undefined ? undefined : byUuid.get(uuid),
      ]);
      if (match.kind !== 'one') return match;
      if (match.conflict) return {kind: 'ambiguous'};
      if (hotTags.size >= hotTagsMax) hotTags.clear();
      hotTags.set(tag, match);
      return match;
    },

    scriptImages(): ScriptImages {
      return {
        find: id => images.get(id),
        registrationFull: images.get(imageList.registrationFullImageId),
        registrationVirtual: images.get(imageList.registrationVirtualImageId),
      };
    },
    image: (id: string) => images.get(id),
    artifact: (sha256: string) => artifacts.get(sha256),
    artifacts: () => artifacts.values(),
  };
}

function judge(named: readonly (KnownMachine | readonly KnownMachine[] | undefined)[]): Match {
  let found: KnownMachine | undefined;
  let conflict = false;
  let ambiguous = false;
  for (const entry of named) {
    if (entry === undefined) continue;
    if (!('answer' in entry)) ambiguous = true;
    else if (!found) found = entry;
    else if (found !== entry) conflict = true;
  }
  if (found) return {kind: 'one', machine: found, conflict};
  return {kind: ambiguous ? 'ambiguous' : 'none'};
}

function add(index: Index, key: string, machine: KnownMachine) {
  const present = index.get(key);
  if (present === undefined) index.set(key, machine);
  else index.set(key, 'answer' in present ? [present, machine] : [...present, machine]);
}

function remove(index: Index, key: string, machine: KnownMachine) {
  const present = index.get(key);
  if (present === undefined) return;
  const others = 'answer' in present ? [] : present.filter(other => other !== machine);
  const [first] = others;
  if (first === undefined) index.delete(key);
  else index.set(key, others.length === 1 ? first : others);
}

function decisionKeyOf({decision}: BootAnswer): string {
  return decision ? `${decision.action} ${decision.imageId} ${decision.reason}` : '';
}

/** Images share files: the same kernel is in most of them. */
function indexArtifacts(images: readonly Image[]): ReadonlyMap<string, KnownArtifact> {
  const index = new Map<string, KnownArtifact & {imageIds: string[]}>();
  for (const image of images) {
    const learn = (artifact: Artifact, role: ArtifactRole) => {
      const known = index.get(artifact.sha256);
      if (known) known.imageIds.push(image.id);
      else index.set(artifact.sha256, {artifact, role, imageIds: [image.id]});
    };
    if (image.kernel) learn(image.kernel, 'kernel');
    for (const initrd of image.initrds) learn(initrd, 'initrd');
    for (const layer of image.layers) learn(layer, 'layer');
  }
  return index;
}
