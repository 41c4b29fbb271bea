import type {Event} from '@muster/proto/gen/muster/v1/events_pb.ts';

/** "machine.state_changed" → "Machine state changed" */
export const typeWords = (type: string): string => {
  const words = type.replaceAll(/[._]/g, ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
};

/** The data of an event in one line: what a person would want to know first. */
export function dataWords(data: Event['data']): string {
  return Object.entries(data ?? {})
    .filter(([, value]) => !isEmpty(value))
    .map(([key, value]) => `${key}: ${valueWords(value)}`)
    .join(' · ');
}

/** "user:ada" → "ada"; machines and the system are called what they are. */
export const actorWords = (actor: string): string =>
  actor.startsWith('user:')
    ? actor.slice(5)
    : actor.startsWith('agent:')
      ? 'its agent'
      : actor || 'system';

const isEmpty = (value: unknown): boolean =>
  value === '' || value === null || (Array.isArray(value) && value.length === 0);

/** Ids and digests are for programs: their beginning tells them apart. */
const valueWords = (value: unknown): string => {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return /^[0-9a-zA-Z-]{32,}$/.test(text) ? `${text.slice(0, 8)}…` : text;
};
