import {always, inService, type JudgedRule, lasting} from './issue-rule.ts';
import {lifecycle, stuckIn} from './lifecycle.ts';
import {offlineAfterMs} from './presence.ts';
import {machineStates} from '../store/machines.ts';

const minute = 60;
const hour = 60 * minute;

/** What shall run is silent. Nothing is said while the server itself could not hear. */
const offline: JudgedRule = {
  ...always,
  kind: 'offline',
  source: 'rules',
  title: 'A machine in service is silent',
  severity: 'critical',
  // Servers with much memory take this long to start.
  raiseAfterSeconds: 10 * minute,
  clearAfterSeconds: minute,
  states: new Set(['ready', 'active']),
  over: 'Its agent is heard again',
  judge({state, presence, lastSeenTime, stateTime, listeningSince}, {now}) {
    if (presence === 'unknown') return 'unknown';
    if (presence === 'online') return [];
    const since = lastSeenTime ?? stateTime;
    const seconds = (now.getTime() - since.getTime()) / 1000;
    return [
      {
        component: '',
        summary: `It is ${state.toUpperCase()} and was ${lastSeenTime ? 'last heard' : 'expected'} ${lasting(seconds)} ago`,
        nextStep:
          'Look at its console and its boot timeline; if it is off or hangs, power-cycle it, else check its cable and switch port',
        evidence: {
          state,
          last_seen_time: lastSeenTime?.toISOString() ?? null,
          silent_after_seconds: offlineAfterMs / 1000,
        },
        since,
        countedSince: listeningSince,
      },
    ];
  },
};

const crashLoop: JudgedRule = {
  ...always,
  kind: 'crash_loop',
  source: 'rules',
  title: 'It boots again and again',
  severity: 'critical',
  raiseAfterSeconds: 0,
  clearAfterSeconds: 0,
  windowSeconds: hour,
  thresholds: {
    boots: {unit: 'boots', raiseAt: 5, clearAt: 2, min: 2, max: 1000},
  },
  states: new Set([...inService].filter(state => state !== 'maintenance')),
  over: 'It has stopped booting again and again',
  judge({boots}, {isBad, windowSeconds}) {
    if (!boots || !isBad('boots', boots.count, '')) return [];
    const {count, firstTime, lastTime} = boots;
    return [
      {
        component: '',
        summary: `It has booted ${count} times within ${lasting(windowSeconds)}`,
        nextStep:
          'Read the last lines on its console and its boot timeline; give it another image, or set it to MAINTENANCE while you look',
        evidence: {
          boots: count,
          window_seconds: windowSeconds,
          first_time: firstTime.toISOString(),
          last_time: lastTime.toISOString(),
        },
        since: firstTime,
      },
    ];
  },
};

/** Limits and next steps are those of the life cycle. */
const stuck: JudgedRule = {
  ...always,
  kind: 'stuck',
  source: 'rules',
  title: 'It is in a state for longer than that should last',
  severity: 'warning',
  raiseAfterSeconds: 0,
  clearAfterSeconds: 0,
  states: new Set(machineStates.filter(state => lifecycle[state].limitSeconds !== undefined)),
  over: 'It has moved on',
  judge({state, stateTime, stateReason}, {now}) {
    const found = stuckIn(state, stateTime, now);
    if (!found) return [];
    return [
      {
        component: state,
        summary: `It has been ${state.toUpperCase()} for ${found.lasting}`,
        nextStep: found.nextStep,
        evidence: {
          state,
          state_time: stateTime.toISOString(),
          state_reason: stateReason,
          limit_seconds: found.limitSeconds,
        },
        since: stateTime,
      },
    ];
  },
};

export const presenceRules: readonly JudgedRule[] = [offline, crashLoop, stuck];
