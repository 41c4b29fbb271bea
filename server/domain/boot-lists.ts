import type {Machine} from '../store/machines.ts';
import {type BootOverride, listBootOverrides} from '../store/boot-overrides.ts';
import {seesEverything} from '../store/scope.ts';
import type {AcceptancePolicy} from './acceptance.ts';
import {subjectOf} from './boot-book.ts';
import {type BootDecision, decideBoot, decideStandingBoot} from './boot-decision.ts';
import type {BootImages, RegistrationImages} from './boot-images.ts';
import type {Deps} from './deps.ts';
import {badPageToken} from './ids.ts';
import type {MachineSearch} from './machine-search.ts';
import {decodeCursor, encodeCursor} from './page-tokens.ts';

const pageSizeDefault = 50;
/** What a decision is made of (`BootRow`); nothing long. */
const decidingColumns = new Set(
  'state_reason expected quarantine_reason ban_reason service_tag uuid mac_addresses desired_image_id last_good_image_id bad_image_ids override_action override_image_id override_expire_time entry_action entry_image_id'.split(
    ' ',
  ),
);

export type BootLists = ReturnType<typeof createBootLists>;

/** Of one machine; `standing` says what holds for all boots but the next, when an override decides that. */
export type MachineBootDecision = {
  readonly machineId: string;
  readonly decision: BootDecision;
  readonly standing: BootDecision | undefined;
};

/** What machines boot, over all of them. */
export function createBootLists({
  sql,
  now,
  policy,
  images,
  search,
}: Pick<Deps, 'sql' | 'now'> & {
  readonly policy: AcceptancePolicy;
  readonly images: Pick<BootImages, 'findRegistration'>;
  readonly search: Pick<MachineSearch, 'list'>;
}) {
  function decide(machine: Machine, registration: RegistrationImages): MachineBootDecision {
    const subject = subjectOf(machine, policy, now());
    const {decision} = decideBoot(subject, registration);
    if (!subject.override) return {machineId: machine.id, decision, standing: undefined};
    const standing = decideStandingBoot(subject, registration).decision;
    const isOverridden = JSON.stringify(standing) !== JSON.stringify(decision);
    return {machineId: machine.id, decision, standing: isOverridden ? standing : undefined};
  }

  return {
    /** What somebody decided and what holds now, newest first. `pageSize` 0 is 50. */
    async overrides(query: {
      readonly machineId: string | undefined;
      readonly persistent: boolean | undefined;
      readonly pageSize: number;
      readonly pageToken: string;
    }) {
      const {pageSize, pageToken, ...filter} = query;
      const limit = pageSize || pageSizeDefault;
      const before = decodeBefore(pageToken);
      const page = {...filter, now: now(), before, limit: limit + 1};
      const rows = await listBootOverrides(sql, page);
      const last = rows.length > limit ? rows[limit - 1] : undefined;
      return {
        overrides: rows.slice(0, limit).map(conceal),
        nextPageToken: last ? encodeBefore(last) : '',
      };
    },

    /** For the machines of a filter, a page of them; so many decisions are made. Throws invalid_argument. */
    async decisions(query: {
      readonly filter: string;
      readonly pageSize: number;
      readonly pageToken: string;
    }) {
      const registration = await images.findRegistration();
      const {machines, nextPageToken} = await search.list({
        ...query,
        orderBy: '',
        states: [],
        countTotal: false,
        columns: decidingColumns,
      });
      return {decisions: machines.map(machine => decide(machine, registration)), nextPageToken};
    },
  };
}

/** Who decided for the workspace before is nobody whom this one knows. */
function conceal({workspaceTime, ...override}: BootOverride): BootOverride {
  const isOlder = workspaceTime !== undefined && override.time < workspaceTime;
  return {...override, workspaceTime, actor: isOlder && !seesEverything() ? '' : override.actor};
}

/** "e" for an entry, "o" for an override: a machine may have got both at once. */
const encodeBefore = ({
  persistent,
  cursorTime,
  machineId,
}: {
  readonly persistent: boolean;
  readonly cursorTime: string;
  readonly machineId: string;
}): string => `${persistent ? 'e' : 'o'}${encodeCursor({time: cursorTime, id: machineId})}`;

function decodeBefore(token: string) {
  if (token === '') return undefined;
  const [kind] = token;
  const cursor = decodeCursor(token.slice(1));
  if (!cursor || (kind !== 'e' && kind !== 'o')) throw badPageToken(token);
  return {...cursor, persistent: kind === 'e'};
}
