import type {Logger} from '@muster/runtime/log.ts';
import type {Config} from './config.ts';
import {createAgentKeys} from './domain/agent-keys.ts';
import type {AgentCredentials} from './domain/agents.ts';
import {type BlobStore, hasArtifact} from './domain/blobs.ts';
import {createBans} from './domain/bans.ts';
import {createBoot} from './domain/boot.ts';
import {createBootImages} from './domain/boot-images.ts';
import {createBootSessions} from './domain/boot-sessions.ts';
import {createBootLists} from './domain/boot-lists.ts';
import {createBootTimeline} from './domain/boot-timeline.ts';
import {createBootTokenVerifier} from './domain/boot-tokens.ts';
import type {LiveBuilder} from './domain/build-rules.ts';
import {createBuildUpkeep} from './domain/build-upkeep.ts';
import {createBuildWork} from './domain/build-work.ts';
import {createBulkActions} from './domain/bulk-actions.ts';
import {createBulkWork} from './domain/bulk-work.ts';
import {createBulks} from './domain/bulks.ts';
import {createBuilds} from './domain/builds.ts';
import {createCommands} from './domain/commands.ts';
import {createComponents} from './domain/components.ts';
import type {Deps} from './domain/deps.ts';
import {createConfigurations} from './domain/configurations.ts';
import {createEnrolment} from './domain/enrolment.ts';
import {createEventFeed} from './domain/event-feed.ts';
import {createEvents} from './domain/events.ts';
import {createFleetMetrics} from './domain/fleet-metrics.ts';
import {createGroups} from './domain/groups.ts';
import {createHardware} from './domain/hardware.ts';
import {createHellos} from './domain/hello.ts';
import {createImageCollection} from './domain/image-collection.ts';
import type {DiskImages} from './domain/image-paths.ts';
import {createImageGates} from './domain/image-gates.ts';
import {createImageTestWork} from './domain/image-test-work.ts';
import {createImageTests} from './domain/image-tests.ts';
import {createImages} from './domain/images.ts';
import {createImports} from './domain/imports.ts';
import {createIssueEvaluation} from './domain/issue-evaluation.ts';
import {createIssueMutes} from './domain/issue-mutes.ts';
import {createIssueSettings} from './domain/issue-settings.ts';
import {createIssues} from './domain/issues.ts';
import {createMachineRemoval} from './domain/machine-removal.ts';
import {createMachineImports} from './domain/machine-imports.ts';
import {createMachineRecords} from './domain/machine-records.ts';
import {createMachineSearch} from './domain/machine-search.ts';
import {createMachines} from './domain/machines.ts';
import {createMetrics} from './domain/metrics.ts';
import {createOperations} from './domain/operations.ts';
import type {NixCacheKey} from './domain/nix-cache-key.ts';
import type {BusStatus} from './domain/presence.ts';
import {createPendingQueue} from './domain/pending.ts';
import {createRecognition} from './domain/recognition.ts';
import {createRenewal} from './domain/renewal.ts';
import {createRollouts} from './domain/rollouts.ts';
import {createRuleApplication} from './domain/rule-application.ts';
import {createRules} from './domain/rules.ts';
import {createSavedSearches} from './domain/saved-searches.ts';
import {createIdentifyClient, createSightings} from './domain/sightings.ts';
import {createStorePaths} from './domain/store-paths.ts';
import {createTemplates} from './domain/templates.ts';
import {createTransitions} from './domain/transitions.ts';
import {serviceOffers} from './domain/services.ts';
import {createTrials} from './domain/trials.ts';
import {createValidations, validationLimits} from './domain/validations.ts';
import {createWorkspaceMachines} from './domain/workspace-machines.ts';
import {createWorkspaceMembers} from './domain/workspace-members.ts';
import {createWorkspaces} from './domain/workspaces.ts';
import packageJson from './package.json' with {type: 'json'};
import type {KeyedWakeUps, WakeUps} from './wake-ups.ts';

const queuedMs = 60_000;
const silentMs = 120_000;
/** What a builder is told is less than what the reconciler waits for. */
const attemptGraceMs = 60_000;

export type Nouns = ReturnType<typeof createNouns>;

/** Every use case of machines, boots and builds, wired by hand. */
export function createNouns({
  deps,
  config,
  credentials,
  findEdgeKey,
  listLiveBuilders,
  blobs,
  cacheKey,
  positions,
  buildChanges,
  validationChanges,
  imageTestChanges,
  diskImages,
  busStatus,
  log,
}: {
  readonly deps: Deps;
  readonly config: Config;
  readonly credentials: AgentCredentials;
  readonly findEdgeKey: (serviceId: string) => Promise<string | undefined>;
  readonly listLiveBuilders: () => Promise<readonly LiveBuilder[]>;
  readonly blobs: BlobStore;
  readonly cacheKey: NixCacheKey;
  /** Told when the journal got new positions. */
  readonly positions: WakeUps;
  readonly buildChanges: KeyedWakeUps;
  readonly validationChanges: KeyedWakeUps;
  readonly imageTestChanges: KeyedWakeUps;
  readonly diskImages: DiskImages;
  readonly busStatus: () => BusStatus;
  readonly log: Logger;
}) {
  const {sql} = deps;
  const policy = config.acceptancePolicy;
  const images = createBootImages(sql);
  const transitions = createTransitions(deps);
  const recognition = createRecognition({
    ...deps,
    newMachinesPerHourMax: config.newMachinesPerHourMax,
  });
  const identifyClient = createIdentifyClient(recognition);
  const agentKeys = createAgentKeys({...deps, credentials});
  const bootSessions = createBootSessions({...deps, images, identifyClient});
  const bans = createBans({...deps, transitions, agentKeys});
  const sightings = createSightings({...deps, recognition, transitions, bans});
  const boot = createBoot({...deps, policy, images, sightings, bans, log});
  const commands = createCommands(deps);
  const attemptMs = config.buildTimeLimitSeconds * 1000;
  const components = createComponents(deps);
  const issues = createIssues(deps);
  const {hardwareVersionsMax: versionsOfMachineMax} = config;
  const search = createMachineSearch({...deps, busStatus});
  const groups = createGroups({...deps, search});
  const configurations = createConfigurations({sql, groups});
  const {inherited} = configurations;
  const builds = createBuilds({
    ...deps,
    transitions,
    listLiveBuilders,
    inherited,
    changes: buildChanges,
  });
  const application = createRuleApplication({...deps, search, transitions, agentKeys});
  const machines = createMachines({...deps, recognition, transitions, agentKeys, bans});

  const imageTests = createImageTests({
    ...deps,
    getMachine: machines.get,
    blobs,
    diskImages,
    changes: imageTestChanges,
  });
  const imageGates = createImageGates({...deps, groups, transitions, tests: imageTests});

  const {metricsRetentionDays: retentionDays} = config;
  const metrics = createMetrics({
    ...deps,
    retention: {
      samplesDays: retentionDays,
      minutesDays: config.metricsMinutesDays,
      hoursDays: config.metricsHoursDays,
    },
  });
  const removal = createMachineRemoval({...deps, agentKeys});
  const workspaceMachines = createWorkspaceMachines(deps);
  const bulks = createBulks({...deps, search, groups});

  return {
    bootImages: images,
    bootSessions,
    sightings,
    boot,
    commands,
    builds,
    templates: createTemplates(deps),
    timeline: createBootTimeline(deps),
    bootLists: createBootLists({...deps, policy, images, search}),
    machines,
    removal,
    components,
    issues,
    issueMutes: createIssueMutes(deps),
    issueSettings: createIssueSettings(deps),
    issueEvaluation: createIssueEvaluation({
      ...deps,
      issues,
      metrics,
      busStatus,
      version: packageJson.version,
    }),
    search,
    groups,
    bulks,
    rollouts: createRollouts({...deps, search, groups}),
    bulkWork: createBulkWork({
      ...deps,
      actions: createBulkActions({
        machines,
        workspaceMachines,
        removal,
        builds,
        commands,
        busStatus,
      }),
      listLiveBuilders,
      log,
    }),
    configurations,
    rules: createRules({...deps, search, application}),
    application,
    bans,
    pending: createPendingQueue({sql, search}),
    records: createMachineRecords({...deps, recognition, transitions, agentKeys}),
    machineImports: createMachineImports({...deps, machines}),
    savedSearches: createSavedSearches({...deps, search}),
    hardware: createHardware({...deps, components, issues, versionsOfMachineMax}),
    enrolment: createEnrolment({
      ...deps,
      policy,
      verifyBootToken: createBootTokenVerifier(findEdgeKey),
      recognition,
      transitions,
      bootSessions,
      agentKeys,
      credentials,
      rules: application,
      bans,
    }),
    renewal: createRenewal({sql, agentKeys, credentials}),
    hellos: createHellos({
      ...deps,
      images,
      transitions,
      bootSessions,
      boot,
      commands,
      agentKeys,
    }),
    trials: createTrials({
      ...deps,
      images,
      transitions,
      busStatus,
      trialLimitSeconds: config.trialLimitSeconds,
    }),
    images: createImages(deps),
    imageTests,
    imageGates,
    imageTestWork: createImageTestWork({
      ...deps,
      hasArtifact: hasArtifact(blobs),
      limits: {queuedMs, silentMs},
    }),
    collection: createImageCollection({...deps, blobs}),
    storePaths: createStorePaths({...deps, hasArtifact: hasArtifact(blobs), cacheKey}),
    work: createBuildWork({
      ...deps,
      // A machine gets its image when that has passed what the machine's groups require.
      transitions: {...transitions, imageReady: imageGates.imageReady},
      timeLimitSeconds: config.buildTimeLimitSeconds,
      offers: serviceOffers,
      hasArtifact: hasArtifact(blobs),
    }),
    validations: createValidations({
      ...deps,
      getMachine: async name => configurations.configured(await machines.get(name)),
      listLiveBuilders,
      busStatus,
      changes: validationChanges,
      limits: validationLimits,
    }),
    upkeep: createBuildUpkeep({
      ...deps,
      transitions,
      limits: {queuedMs, silentMs, attemptMs: attemptMs + attemptGraceMs},
    }),
    operations: createOperations({
      ...deps,
      cancel: {
        build: async (actor, id) => {
          await builds.cancel(actor, id);
        },
        bulk: bulks.cancel,
        rollout: bulks.cancel,
      },
    }),
    metrics,
    imports: createImports({...deps, recognition, metrics, retentionDays}),
    events: createEvents({...deps, positions, feed: createEventFeed({sql, positions})}),
    workspaces: createWorkspaces(deps),
    workspaceMachines,
    workspaceMembers: createWorkspaceMembers(deps),
    fleetMetrics: createFleetMetrics({...deps, busStatus, metrics}),
  };
}
