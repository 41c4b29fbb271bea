import type {ConnectRouter} from '@connectrpc/connect';
import {AgentService} from '@muster/proto/gen/muster/v1/agents_pb.ts';
import {AuditService} from '@muster/proto/gen/muster/v1/audit_pb.ts';
import {BootService} from '@muster/proto/gen/muster/v1/boot_pb.ts';
import {BuildService} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import {BulkService} from '@muster/proto/gen/muster/v1/bulk_pb.ts';
import {ComponentService} from '@muster/proto/gen/muster/v1/components_pb.ts';
import {DiscoveryService} from '@muster/proto/gen/muster/v1/discovery_pb.ts';
import {EventService} from '@muster/proto/gen/muster/v1/events_pb.ts';
import {GroupService} from '@muster/proto/gen/muster/v1/groups_pb.ts';
import {HardwareService} from '@muster/proto/gen/muster/v1/hardware_pb.ts';
import {ImageService} from '@muster/proto/gen/muster/v1/images_pb.ts';
import {ImageTestService} from '@muster/proto/gen/muster/v1/image_tests_pb.ts';
import {ImportService} from '@muster/proto/gen/muster/v1/imports_pb.ts';
import {IssueService} from '@muster/proto/gen/muster/v1/issues_pb.ts';
import {MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {MetricsService} from '@muster/proto/gen/muster/v1/metrics_pb.ts';
import {OperationService} from '@muster/proto/gen/muster/v1/operations_pb.ts';
import {RolloutService} from '@muster/proto/gen/muster/v1/rollouts_pb.ts';
import {RuleService} from '@muster/proto/gen/muster/v1/rules_pb.ts';
import {SearchService} from '@muster/proto/gen/muster/v1/searches_pb.ts';
import {ServiceService} from '@muster/proto/gen/muster/v1/services_pb.ts';
import {StorePathService} from '@muster/proto/gen/muster/v1/store_paths_pb.ts';
import {SessionService} from '@muster/proto/gen/muster/v1/sessions_pb.ts';
import {TemplateService} from '@muster/proto/gen/muster/v1/templates_pb.ts';
import {TokenService} from '@muster/proto/gen/muster/v1/tokens_pb.ts';
import {UserService} from '@muster/proto/gen/muster/v1/users_pb.ts';
import {WorkspaceService} from '@muster/proto/gen/muster/v1/workspaces_pb.ts';
import {WebhookService} from '@muster/proto/gen/muster/v1/webhooks_pb.ts';
import type {Readiness} from '@muster/runtime/health.ts';
import type {Config} from './config.ts';
import type {Audit} from './domain/audit.ts';
import type {BootAnswers} from './domain/boot-answers.ts';
import {natsConfig} from './domain/nats-config.ts';
import type {Services} from './domain/services.ts';
import type {Foundation} from './foundation.ts';
import type {Nouns} from './nouns.ts';
import type {People} from './people.ts';
import {agentService} from './rpc/agents.ts';
import {auditService} from './rpc/audit.ts';
import {bootService} from './rpc/boot.ts';
import {buildService} from './rpc/builds.ts';
import {bulkService} from './rpc/bulks.ts';
import {componentService} from './rpc/components.ts';
import {discoveryService} from './rpc/discovery.ts';
import {eventService} from './rpc/events.ts';
import {groupService} from './rpc/groups.ts';
import {hardwareService} from './rpc/hardware.ts';
import {addHealth} from './rpc/health.ts';
import {imageService} from './rpc/images.ts';
import {imageTestService} from './rpc/image-tests.ts';
import {importService} from './rpc/imports.ts';
import {issueService} from './rpc/issues.ts';
import type {MachineView} from './rpc/machine-messages.ts';
import {machineService} from './rpc/machines.ts';
import {metricsService} from './rpc/metrics.ts';
import {operationService} from './rpc/operations.ts';
import {addReflection} from './rpc/reflection.ts';
import {rolloutService} from './rpc/rollouts.ts';
import {ruleService} from './rpc/rules.ts';
import {searchService} from './rpc/searches.ts';
import {serviceService} from './rpc/services.ts';
import {sessionService} from './rpc/sessions.ts';
import {storePathService} from './rpc/store-paths.ts';
import {templateService} from './rpc/templates.ts';
import {tokenService} from './rpc/tokens.ts';
import {userService} from './rpc/users.ts';
import {workspaceService} from './rpc/workspaces.ts';
import {webhookService} from './rpc/webhooks.ts';
import type {OpenWebhooks} from './webhooks.ts';

/** Where an external nats-server keeps its files, as `GetNatsConfig` assumes; `nats-config` writes them for any place. */
const externalNats = {
  listen: '0.0.0.0:4222',
  dataFolder: '/var/lib/muster/nats',
  certificateFile: '/var/lib/muster/nats/server-cert.pem',
  privateKeyFile: '/var/lib/muster/nats/server-key.pem',
};

/** Every service of the contract on the one port. */
export function createRoutes({
  config,
  foundation: {trust, natsKeys},
  nouns,
  audit,
  answers,
  services,
  people,
  webhooks,
  view,
  readiness,
}: {
  readonly config: Config;
  readonly foundation: Foundation;
  readonly nouns: Nouns;
  readonly audit: Audit;
  readonly answers: BootAnswers;
  readonly services: Services;
  readonly people: People;
  readonly webhooks: OpenWebhooks;
  readonly view: MachineView;
  readonly readiness: () => Readiness;
}): (router: ConnectRouter) => void {
  const {enrolment, renewal, boot, bootSessions: sessions, timeline, bootLists: lists} = nouns;
  const {builds, work, images, validations, storePaths} = nouns;
  const nats = {
    servers: serviceNatsServers(config),
    siteCa: trust.siteCa,
    config: () => ({
      config: natsConfig(natsKeys, externalNats),
      certificate: natsKeys.certificates.server,
      privateKey: natsKeys.certificates.serverKey,
    }),
  };

  return router => {
    // Agents go by the addresses in boot.json, which knows how they reach their edge.
    router.service(AgentService, agentService({enrolment, renewal, natsServers: []}));
    router.service(AuditService, auditService(audit));
    router.service(BootService, bootService({answers, boot, sessions, timeline, lists}));
    router.service(BuildService, buildService({builds, work, images, validations, storePaths}));
    router.service(BulkService, bulkService(nouns.bulks));
    router.service(ComponentService, componentService(nouns.components));
    router.service(DiscoveryService, discoveryService({...nouns, view}));
    router.service(EventService, eventService(nouns.events));
    router.service(GroupService, groupService({...nouns, view}));
    router.service(HardwareService, hardwareService(nouns.hardware));
    router.service(ImageService, imageService(images, nouns.collection));
    router.service(ImageTestService, imageTestService(nouns));
    router.service(ImportService, importService(nouns.imports));
    router.service(IssueService, issueService(nouns));
    router.service(MachineService, machineService({...nouns, view}));
    router.service(MetricsService, metricsService(nouns.metrics));
    router.service(OperationService, operationService(nouns.operations, nouns.bulks));
    router.service(RolloutService, rolloutService(nouns.rollouts, nouns.bulks.cancel));
    router.service(RuleService, ruleService(nouns.rules, view));
    router.service(SearchService, searchService(nouns.savedSearches));
    router.service(ServiceService, serviceService(services, nats));
    router.service(SessionService, sessionService(people));
    router.service(StorePathService, storePathService(storePaths));
    router.service(TemplateService, templateService(nouns.templates));
    router.service(TokenService, tokenService(people.apiTokens));
    router.service(UserService, userService(people));
    router.service(
      WorkspaceService,
      workspaceService({
        workspaces: nouns.workspaces,
        machines: nouns.workspaceMachines,
        members: nouns.workspaceMembers,
        view,
      }),
    );
    router.service(WebhookService, webhookService(webhooks.webhooks, webhooks.deliveries));
    // Last: these two tell of all others.
    addHealth(router, readiness);
    addReflection(router);
  };
}

/** Builders know no edge: a public address that depends on one is none for them. */
function serviceNatsServers({natsPublicServers, natsUrl}: Config): readonly string[] {
  return natsPublicServers.some(server => server.includes('{')) ? natsUrl : natsPublicServers;
}
