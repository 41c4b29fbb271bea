import {
  integer,
  loadSettings,
  oneOf,
  type Setting,
  text,
  type Values,
} from '@muster/runtime/config.ts';

/** Every setting of the agent. Images set none of them: what differs between boots is in boot.json. */
export const agentSettings = {
  bootFile: {
    env: 'MUSTER_BOOT_FILE',
    describe: 'boot.json of this boot (docs/boot.md)',
    default: '/run/muster/boot.json',
    parse: text,
  },
  imageFile: {
    env: 'MUSTER_IMAGE_FILE',
    describe: 'image.json of the running image',
    default: '/etc/muster/image.json',
    parse: text,
  },
  root: {
    env: 'MUSTER_ROOT',
    describe: 'Root of the tree that is inventoried and measured (/proc, /sys, tools)',
    default: '/',
    parse: text,
  },
  metricsIntervalSeconds: {
    env: 'METRICS_INTERVAL_SECONDS',
    describe: 'Seconds between two samples',
    default: '10',
    parse: integer(1, 3600),
  },
  hostActions: {
    env: 'MUSTER_HOST_ACTIONS',
    describe:
      '"real" reboots and powers off; "log" only says so, for an agent that runs on no machine of its own',
    default: 'real',
    parse: oneOf('real', 'log'),
  },
  evidenceFile: {
    env: 'EVIDENCE_FILE',
    describe: 'JSON of muster.v1.Evidence that replaces what the firmware says; empty: none',
    default: '',
    parse: text,
  },
} as const satisfies Readonly<Record<string, Setting<unknown>>>;

export type AgentConfig = Values<typeof agentSettings>;

export function loadAgentConfig(env: Readonly<Record<string, string | undefined>>): AgentConfig {
  return loadSettings(agentSettings, env);
}
