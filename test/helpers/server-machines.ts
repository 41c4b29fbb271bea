import {createHash, randomBytes} from 'node:crypto';
import {createUser, type KeyPair} from '@nats-io/nkeys';
import {uuidv7} from '@muster/runtime/ids.ts';
import {silentLogger as log} from '@muster/runtime/log.ts';
import {privateKeyOf, signToken} from '@muster/runtime/tokens.ts';
import type {AcceptancePolicy} from '@muster/server/domain/acceptance.ts';
import {createAgentKeys} from '@muster/server/domain/agent-keys.ts';
import {createAgentNonces} from '@muster/server/domain/agent-nonces.ts';
import {createBans} from '@muster/server/domain/bans.ts';
import {createBoot} from '@muster/server/domain/boot.ts';
import {startBootAnswers} from '@muster/server/domain/boot-answers.ts';
import {createBootImages} from '@muster/server/domain/boot-images.ts';
import {createBootSessions} from '@muster/server/domain/boot-sessions.ts';
import {createBootLists} from '@muster/server/domain/boot-lists.ts';
import {createBootTimeline} from '@muster/server/domain/boot-timeline.ts';
import {createBootTokenVerifier} from '@muster/server/domain/boot-tokens.ts';
import {createCommands} from '@muster/server/domain/commands.ts';
import {createComponents} from '@muster/server/domain/components.ts';
import {createConfigurations} from '@muster/server/domain/configurations.ts';
import {createEnrolment} from '@muster/server/domain/enrolment.ts';
import {createGroups} from '@muster/server/domain/groups.ts';
import {createHardware} from '@muster/server/domain/hardware.ts';
import {createHardwareIntake} from '@muster/server/domain/hardware-intake.ts';
import {createHellos} from '@muster/server/domain/hello.ts';
import {type Evidence, noEvidence} from '@muster/server/domain/identity.ts';
import {createIssueMutes} from '@muster/server/domain/issue-mutes.ts';
import {createIssueSettings} from '@muster/server/domain/issue-settings.ts';
import {createIssues} from '@muster/server/domain/issues.ts';
import {createMachineRemoval} from '@muster/server/domain/machine-removal.ts';
import {createMachineImports} from '@muster/server/domain/machine-imports.ts';
import {createMachineRecords} from '@muster/server/domain/machine-records.ts';
import {createMachineSearch} from '@muster/server/domain/machine-search.ts';
import {createMachines} from '@muster/server/domain/machines.ts';
import {loadNatsKeys} from '@muster/server/domain/nats-keys.ts';
import {createNatsTrust} from '@muster/server/domain/nats-trust.ts';
import {createPendingQueue} from '@muster/server/domain/pending.ts';
import {createRecognition} from '@muster/server/domain/recognition.ts';
import {createRenewal} from '@muster/server/domain/renewal.ts';
import {createRuleApplication} from '@muster/server/domain/rule-application.ts';
import {createRules} from '@muster/server/domain/rules.ts';
import {createIdentifyClient, createSightings} from '@muster/server/domain/sightings.ts';
import {createTransitions} from '@muster/server/domain/transitions.ts';
import {createTrials} from '@muster/server/domain/trials.ts';
import {masterKey} from '@muster/server/secrets.ts';
import type {Database} from '@muster/server/store/db.ts';
import {type Image, insertImage} from '@muster/server/store/images.ts';
import {listenFor} from '@muster/server/store/notifications.ts';

export type ServerMachines = Awaited<ReturnType<typeof wireMachines>>;

/** Everything about machines that a server has, on this database. `clock.now` is the time; one edge may sign boot tokens. */
export async function wireMachines(
  sql: Database,
  options: {
    policy?: AcceptancePolicy;
    newMachinesPerHourMax?: number;
    edge?: KeyPair;
    versionsOfMachineMax?: number;
  } = {},
) {
  const {policy = 'open', newMachinesPerHourMax = 1000, edge = createUser()} = options;
  const {versionsOfMachineMax = 100} = options;
  const clock = {now: new Date()};
  const now = () => clock.now;
  const newId = uuidv7;
  const key = masterKey(Buffer.alloc(32, 7));
  const keys = await loadNatsKeys({sql, now, key});
  const credentials = {...createNatsTrust({sql, now, keys}), ...createAgentNonces({key, now})};
  const edgeId = 'edge-1';
  const busStatus = () => ({connected: true, since: new Date(0)});

  const deps = {sql, now, newId};
  const images = createBootImages(sql);
  const recognition = createRecognition({now, newId, newMachinesPerHourMax});
  const transitions = createTransitions({now, newId});
  const agentKeys = createAgentKeys({now, newId, credentials});
  const identifyClient = createIdentifyClient(recognition);
  const bootSessions = createBootSessions({...deps, images, identifyClient});
  const bans = createBans({...deps, transitions, agentKeys});
  const sightings = createSightings({sql, now, recognition, transitions, bans});
  const boot = createBoot({...deps, policy, images, sightings, bans, log});
  const commands = createCommands(deps);
  const components = createComponents(deps);
  const issues = createIssues(deps);
  const verifyBootToken = createBootTokenVerifier(async id =>
    id === edgeId ? edge.getPublicKey() : undefined,
  );
  const search = createMachineSearch({sql, now, busStatus});
  const groups = createGroups({...deps, search});
  const rules = createRuleApplication({...deps, search, transitions, agentKeys});
  const shared = {...deps, bans, recognition, transitions, agentKeys, bootSessions, images};
  const machines = createMachines(shared);
  return {
    sql,
    clock,
    edge,
    images,
    recognition,
    transitions,
    bootSessions,
    sightings,
    boot,
    commands,
    machines,
    removal: createMachineRemoval(shared),
    pending: createPendingQueue({sql, search}),
    records: createMachineRecords(shared),
    machineImports: createMachineImports({...deps, machines}),
    components,
    issues,
    issueMutes: createIssueMutes(deps),
    issueSettings: createIssueSettings(deps),
    search,
    groups,
    configurations: createConfigurations({sql, groups}),
    application: rules,
    bans,
    rules: createRules({...deps, search, application: rules}),
    hardware: createHardware({...deps, components, issues, versionsOfMachineMax}),
    hardwareIntake: createHardwareIntake(deps),
    timeline: createBootTimeline(deps),
    bootLists: createBootLists({sql, now, policy, images, search}),
    enrolment: createEnrolment({...shared, policy, verifyBootToken, credentials, rules, bans}),
    renewal: createRenewal({sql, agentKeys, credentials}),
    hellos: createHellos({...shared, boot, commands}),
    trials: createTrials({
      ...shared,
      busStatus,
      trialLimitSeconds: 600,
    }),

    /** As an edge signs it. */
    token: (claims: {
      session: string;
      mac: string;
      /** Who has the address, when it is not `mac`. */
      neighbour?: string;
      imageId?: string;
      lifetimeSeconds?: number;
      signer?: KeyPair;
    }) =>
      signToken({
        key: privateKeyOf(new TextDecoder().decode((claims.signer ?? edge).getSeed())),
        issuer: edgeId,
        purpose: 'boot',
        lifetimeSeconds: claims.lifetimeSeconds ?? 900,
        claims: {
          sid: claims.session,
          mac: claims.mac,
          ip: '10.0.0.9',
          ...(claims.imageId ? {img: claims.imageId} : {}),
          ...(claims.neighbour ? {nbr: 'mismatch', nmac: claims.neighbour} : {}),
          jti: randomBytes(16).toString('hex'),
        },
      }),
  };
}

export const evidenceWith = (part: Partial<Evidence>): Evidence => ({...noEvidence, ...part});

/** A list of boots without a filter. */
export const allBoots = {
  machineId: undefined,
  states: [],
  imageId: undefined,
  since: '',
  until: '',
  countTotal: false,
  pageSize: 0,
  pageToken: '',
};

/** A new agent key, public part. */
export const newAgentKey = (): string => createUser().getPublicKey();

/** As the agent of a machine does in its first boot. Gives the machine's id. */
export async function enrolMachine(
  server: Pick<ServerMachines, 'token' | 'enrolment'>,
  {mac, session = mac, systemSerial = ''}: {mac: string; session?: string; systemSerial?: string},
): Promise<string> {
  const {machineId} = await server.enrolment.enrol({
    bootToken: await server.token({session, mac}),
    publicKey: newAgentKey(),
    evidence: evidenceWith({macAddresses: [mac], systemSerial}),
    imageInputKey: '',
    bootId: session,
    agentVersion: '1',
  });
  return machineId;
}

export const bootFacts = {
  policy: 'open',
  enrollUrl: 'http://{edge_host}:8080',
  natsServers: ['{edge_host}:4222'],
  siteCa: 'CA',
} as const;

/** What edges are told, as a server keeps it. */
export const startAnswers = ({sql, images}: Pick<ServerMachines, 'sql' | 'images'>) =>
  startBootAnswers({
    sql,
    images,
    facts: bootFacts,
    listen: wake => listenFor(sql, 'events', wake),
    log,
  });

/** An image in the database, as a builder would have left it. */
export async function addImage(sql: Database, part: Partial<Image>): Promise<Image> {
  const digest = (text: string) => createHash('sha256').update(text).digest('hex');
  const unique = randomBytes(8).toString('hex');
  const artifact = (name: string) => ({name, sha256: digest(name + unique), sizeBytes: 4096});
  return insertImage(sql, {
    id: digest(unique),
    kind: 'machine',
    variant: 'virtual',
    backend: 'debian',
    inputKey: `key-${unique}`,
    kernel: artifact('vmlinuz'),
    initrds: [artifact('initrd.zst')],
    layers: [],
    commandLine: 'panic=30',
    memoryRequiredBytes: 512 * 1024 * 1024,
    bootTests: [],
    buildId: undefined,
    createTime: new Date(),
    ...part,
  });
}
