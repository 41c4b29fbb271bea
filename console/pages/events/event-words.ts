import type {Event} from '@muster/proto/gen/muster/v1/events_pb.ts';
import type {JsonObject, JsonValue} from '@bufbuild/protobuf';
import type {Tone} from '../../ui/tones.ts';

const toneOfVerb: Readonly<Record<string, Tone>> = {
  failed: 'bad',
  halted: 'bad',
  stalled: 'bad',
  refused: 'bad',
  banned: 'bad',
  quarantined: 'bad',
  trial_failed: 'bad',
  marked_bad: 'bad',
  token_reused: 'bad',
  disabled: 'warn',
  raised: 'warn',
  paused: 'warn',
  rejected: 'warn',
  pending: 'warn',
  deleted: 'warn',
  cancelled: 'idle',
  succeeded: 'ok',
  active: 'ok',
  enrolled: 'ok',
  cleared: 'ok',
  ended: 'ok',
  provisioning: 'busy',
  started: 'busy',
  opened: 'busy',
  requested: 'busy',
};
export const eventTone = ({type}: Pick<Event, 'type'>): Tone =>
  toneOfVerb[type.split('.')[1] ?? ''] ?? 'idle';

/** In this order; what tells most comes first. */
const tellingNames = [
  'summary',
  'error',
  'message',
  'reason',
  'action',
  'selection',
  'name',
  'username',
  'hostname',
  'serviceTag',
  'macAddress',
  'fields',
  'operation',
  'kind',
  'component',
  'model',
  'serial',
  'backend',
  'variant',
  'step',
  'wave',
  'rule',
  'decision',
  'role',
  'value',
  'summaries',
  'set',
  'remove',
  'count',
  'machines',
  'version',
  'attempt',
  'method',
  'address',
  'note',
] as const;
const piecesMax = 4;
const listMax = 4;
const pieceCharactersMax = 160;
/** Of an id in a sentence its first eight characters tell enough. */
const ids = /\b([0-9a-f]{8})-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g;

/** What its data tells, in one line. */
export function eventSummary({data = {}}: Pick<Event, 'data'>): string {
  const pieces: string[] = [];
  if (typeof data['from'] === 'string' && data['from'] !== '') pieces.push(`from ${data['from']}`);
  for (const name of tellingNames) {
    const text = pieceOf(data[name]);
    if (text === '') continue;
    pieces.push(isBare.has(name) ? text : `${spaced(name)} ${text}`);
    if (pieces.length >= piecesMax) break;
  }
  if (data['cached'] === true) pieces.push('from the store');
  if (data['persistent'] === true) pieces.push('for all boots');
  if (data['dryRun'] === true) pieces.push('a dry run');
  return pieces.join(' · ');
}

/** These speak for themselves. */
const isBare: ReadonlySet<string> = new Set([
  'summary',
  'error',
  'message',
  'reason',
  'action',
  'selection',
  'name',
  'username',
  'hostname',
  'macAddress',
  'operation',
  'summaries',
]);

const spaced = (name: string): string =>
  name.replaceAll(/[A-Z]/g, letter => ` ${letter.toLowerCase()}`);

function pieceOf(value: JsonValue | undefined): string {
  if (value === undefined || value === null || value === false) return '';
  if (Array.isArray(value)) {
    const texts = value.slice(0, listMax).map(item => pieceOf(item));
    return texts.join(', ') + (value.length > listMax ? ` and ${value.length - listMax} more` : '');
  }
  if (typeof value === 'object') return mapText(value);
  const text = String(value).replaceAll(/\s+/g, ' ').replaceAll(ids, '$1');
  return text.length > pieceCharactersMax ? `${text.slice(0, pieceCharactersMax)}…` : text;
}

const mapText = (value: JsonObject): string =>
  Object.entries(value)
    .slice(0, listMax)
    .map(([key, each]) => `${key}=${typeof each === 'object' ? '…' : String(each)}`)
    .join(' ');

/** "user:ada" is ada; agents are known by their machine. */
export function actorWord(actor: string): string {
  const [kind = '', ...rest] = actor.split(':');
  const name = rest.join(':');
  if (kind === 'user') return name;
  if (kind === 'agent') return 'agent';
  return actor;
}

/** Kinds of events that one looks at together. */
export const eventGroups = [
  {value: '', label: 'All'},
  {value: 'machine.,agent.,enrolment.', label: 'Machines'},
  {value: 'boot_session.,boot_override.', label: 'Boots'},
  {value: 'build.,image.,system.', label: 'Builds and images'},
  {value: 'bulk.,rollout.', label: 'Operations'},
  {value: 'hardware.,component.,issue.', label: 'Hardware'},
  {value: 'user.,session.,token.,workspace.,service.', label: 'People and services'},
] as const;

const typePattern = /^[a-z_]{1,64}\.[a-z_]{0,64}$/;
const typesMax = 64;

/** Of the address: what the server would refuse is left out. */
export const parseTypes = (text: string | undefined): string =>
  (text ?? '')
    .split(',')
    .filter(type => typePattern.test(type))
    .slice(0, typesMax)
    .join(',');

export function parsePosition(text: string | undefined): bigint | undefined {
  return text !== undefined && /^\d{1,18}$/.test(text) ? BigInt(text) : undefined;
}
