import {always, inService, type JudgedRule} from './issue-rule.ts';
import {accepted, buildable} from './lifecycle.ts';

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;
const imageIdShown = 12;

/** Agents say hello at least once an hour; one hello alone may be from before the clock was set. */
const clockSkew: JudgedRule = {
  ...always,
  kind: 'clock_skew',
  source: 'rules',
  title: 'Its clock is wrong',
  severity: 'warning',
  raiseAfterSeconds: 90 * minute,
  clearAfterSeconds: 0,
  thresholds: {
    seconds: {unit: 's', raiseAt: 5, clearAt: 2, min: 0.1, max: 86_400},
  },
  states: inService,
  over: 'Its clock is right again',
  judge({presence, clockSkewMs}, {isBad}) {
    if (presence !== 'online' || clockSkewMs === undefined) return 'unknown';
    const seconds = clockSkewMs / 1000;
    if (!isBad('seconds', Math.abs(seconds), '')) return [];
    return [
      {
        component: '',
        summary: `Its clock is ${Math.abs(seconds)} s ${seconds > 0 ? 'ahead' : 'behind'}`,
        nextStep: 'Check that it reaches a time server, and the battery of its board',
        evidence: {skew_seconds: seconds},
      },
    ];
  },
};

const agentOutdated: JudgedRule = {
  ...always,
  kind: 'agent_outdated',
  source: 'rules',
  title: 'Its agent is older than the server',
  severity: 'info',
  raiseAfterSeconds: day,
  clearAfterSeconds: 0,
  states: accepted,
  over: 'Its agent is as new as the server',
  judge({presence, agentVersion}, {version}) {
    if (presence !== 'online') return 'unknown';
    const order = compareVersions(agentVersion, version);
    if (order === undefined) return 'unknown';
    if (order >= 0) return [];
    return [
      {
        component: '',
        summary: `Its agent is ${agentVersion}, the server ${version}`,
        nextStep: 'Build its image again and reboot it: the agent comes with the image',
        evidence: {agent_version: agentVersion, server_version: version},
      },
    ];
  },
};

const imageDrift: JudgedRule = {
  ...always,
  kind: 'image_drift',
  source: 'rules',
  title: 'It runs another image than it shall',
  severity: 'warning',
  raiseAfterSeconds: day,
  clearAfterSeconds: 0,
  states: new Set(['active']),
  over: 'It runs its desired image',
  judge({desiredImageId, bootedImageId, badImageIds}) {
    if (desiredImageId === undefined || bootedImageId === undefined) return 'unknown';
    if (desiredImageId === bootedImageId) return [];
    const isBad = badImageIds.includes(desiredImageId);
    const short = (id: string) => id.slice(0, imageIdShown);
    return [
      {
        component: '',
        summary: `It runs image ${short(bootedImageId)}, and shall run ${short(desiredImageId)}${isBad ? ', which has failed on it' : ''}`,
        nextStep: isBad
          ? 'Read the boot timeline of its last trial, correct the configuration, and build again'
          : 'Reboot it when its work allows',
        evidence: {
          desired_image_id: desiredImageId,
          booted_image_id: bootedImageId,
          desired_image_failed: isBad,
        },
      },
    ];
  },
};

const duplicateIdentity: JudgedRule = {
  ...always,
  kind: 'duplicate_identity',
  source: 'rules',
  title: 'Another machine may be taken for it',
  severity: 'critical',
  raiseAfterSeconds: 0,
  clearAfterSeconds: 0,
  states: inService,
  over: 'An operator has accepted it',
  judge({quarantineReason}) {
    if (quarantineReason === '') return [];
    return [
      {
        component: '',
        summary: `It is quarantined: ${quarantineReason}`,
        nextStep:
          'Compare the serial numbers on both boxes with the two records, then accept it as a machine of its own, merge the records, or reject it',
        evidence: {quarantine_reason: quarantineReason},
      },
    ];
  },
};

const buildFailing: JudgedRule = {
  ...always,
  kind: 'build_failing',
  source: 'rules',
  title: 'Its builds fail',
  severity: 'warning',
  raiseAfterSeconds: 0,
  clearAfterSeconds: 0,
  thresholds: {
    builds: {unit: 'builds in a row', raiseAt: 2, clearAt: 1, min: 1, max: 10},
  },
  states: buildable,
  over: 'A build has succeeded',
  judge({builds}, {isBad}) {
    const end = builds.findIndex(({state}) => state !== 'failed');
    const failed = end === -1 ? builds : builds.slice(0, end);
    const [last] = failed;
    if (!last || !isBad('builds', failed.length, '')) return [];
    const first = failed.at(-1) ?? last;
    return [
      {
        component: '',
        summary: `Its last ${failed.length === 1 ? 'build' : `${failed.length} builds`} failed: ${last.error}`,
        nextStep: 'Read the log of the last build, correct the configuration, and build again',
        evidence: {
          failed_builds: failed.length,
          last_build_id: last.id,
          last_error: last.error,
          first_failure_time: first.endTime.toISOString(),
        },
        since: first.endTime,
      },
    ];
  },
};

export const softwareRules: readonly JudgedRule[] = [
  clockSkew,
  agentOutdated,
  imageDrift,
  duplicateIdentity,
  buildFailing,
];

/** Below 0 when `a` is older; undefined when one of them is no version. What follows the three numbers ("-rc1") counts nothing. */
export function compareVersions(a: string, b: string): number | undefined {
  const [first, second] = [a, b].map(text => /^v?(\d{1,6})\.(\d{1,6})\.(\d{1,6})/.exec(text));
  if (!first || !second) return undefined;
  for (const index of [1, 2, 3]) {
    const difference = Number(first[index]) - Number(second[index]);
    if (difference !== 0) return difference;
  }
  return 0;
}
