import {randomUUID} from 'node:crypto';
import {uuidv7} from '@muster/runtime/ids.ts';
import {createOutages, type Logger} from '@muster/runtime/log.ts';
import {listenOnePort, listenTls} from '@muster/runtime/rpc-server.ts';
import {collectDefaultMetrics, Gauge, Registry} from 'prom-client';
import {busStatusOf, startBusWorkers} from './bus-workers.ts';
import {openFolderBlobStore} from './clients/blob-store.ts';
import {createDiskImages} from './clients/disk-images.ts';
import type {Config} from './config.ts';
import {createAgentNonces} from './domain/agent-nonces.ts';
import {createAuditRecorder} from './domain/audit-recorder.ts';
import {createAuditUpkeep} from './domain/audit-upkeep.ts';
import {createCheckpointSigner} from './domain/audit-checkpoints.ts';
import {createAudit} from './domain/audit.ts';
import {startBootAnswers} from './domain/boot-answers.ts';
import {loadNixCacheKey} from './domain/nix-cache-key.ts';
import {createServices, listLiveBuilders} from './domain/services.ts';
import {openFoundation} from './foundation.ts';
import {startAuditUpkeep} from './workers/audit.ts';
import {createBlobHandler} from './http/blobs.ts';
import {openConsole} from './http/console.ts';
import {createExposition} from './http/exposition.ts';
import {createRouter} from './http/router.ts';
import {createScrapeHandler, fleetPage, processPage} from './http/scrapes.ts';
import {writeLocalToken} from './local-token.ts';
import {openInventories} from './inventories.ts';
import {publishThrough, startNatsLinks} from './nats-links.ts';
import {createNouns} from './nouns.ts';
import {createPeople} from './people.ts';
import {startRelay} from './relay.ts';
import {createRoutes} from './routes.ts';
import {createIdentify} from './rpc/identify.ts';
import {identifyRequest} from './rpc/caller.ts';
import {createInterceptors} from './rpc/interceptors.ts';
import {listenFor} from './store/notifications.ts';
import {loadTlsKeys} from './tls-keys.ts';
import {createKeyedWakeUps, createWakeUps} from './wake-ups.ts';
import {openWebhooks} from './webhooks.ts';
import {loadBuiltinTemplates} from './workers/builtin-templates.ts';
import {startBulkWorker} from './workers/bulks.ts';
import {startHardwareHistory} from './workers/hardware-history.ts';
import {startIssueWorker} from './workers/issues.ts';
import {startMachineReconciler} from './workers/machines.ts';
import {startRegistrationImages} from './workers/registration-images.ts';
import {watchDatabase} from './workers/watch-database.ts';

/** Wires the process by hand, top to bottom, and undoes it in reverse on dispose. NATS may come later. */
export async function startServer(config: Config, log: Logger) {
  await using stack = new AsyncDisposableStack();
  const foundation = stack.use(await openFoundation(config));
  const {sql, now, key, trust} = foundation;
  const deps = {sql, now, newId: uuidv7};
  const registry = new Registry();
  collectDefaultMetrics({register: registry});

  const database = stack.use(watchDatabase(sql, log));
  const {natsUrl: servers} = config;
  const outages = createOutages(log);
  const {bus} = stack.use(await startNatsLinks({servers, sql, trust, log, outages}));
  const isConnected = () => bus.connection() !== undefined;
  countNats(registry, isConnected);
  const positions = createWakeUps();
  stack.use(await listenFor(sql, 'positions', positions.notify));
  const buildChanges = createKeyedWakeUps();
  stack.use(await listenFor(sql, 'builds', buildChanges.notify));
  const validationChanges = createKeyedWakeUps();
  stack.use(await listenFor(sql, 'validations', validationChanges.notify));
  const imageTestChanges = createKeyedWakeUps();
  stack.use(await listenFor(sql, 'image_tests', imageTestChanges.notify));
  const relay = await startRelay({sql, publish: publishThrough(bus), isConnected, log});
  bus.onConnected(stack.use(relay).connected);

  const recorder = createAuditRecorder(deps);
  const signer = createCheckpointSigner(key);
  const upkeep = createAuditUpkeep({...deps, signer, retentionDays: config.auditRetentionDays});
  stack.use(startAuditUpkeep({upkeep, recorder, log}));

  const services = createServices({...deps, trust});
  const blobs = await openFolderBlobStore(config.imageStoreDirectory);
  const diskImages = createDiskImages({
    folder: config.imageStoreDirectory,
    blobs,
    sizeBytesMax: config.artifactBytesMax,
  });
  const liveBuilders = () => listLiveBuilders(sql, now());
  const busStatus = busStatusOf(bus, now);
  const nouns = createNouns({
    deps,
    config,
    credentials: {...trust, ...createAgentNonces({key, now})},
    findEdgeKey: services.findEdgeKey,
    listLiveBuilders: liveBuilders,
    blobs,
    cacheKey: await loadNixCacheKey(foundation),
    positions,
    buildChanges,
    validationChanges,
    imageTestChanges,
    diskImages,
    busStatus,
    log,
  });
  const {templates} = nouns;
  await loadBuiltinTemplates({folder: config.templatesDirectory, templates, log});
  const answers = stack.use(
    await startBootAnswers({
      sql,
      images: nouns.bootImages,
      facts: {
        policy: config.acceptancePolicy,
        enrollUrl: config.enrollPublicUrl,
        natsServers: config.natsPublicServers,
        siteCa: trust.siteCa,
      },
      listen: wake => listenFor(sql, 'events', wake),
      log,
    }),
  );
  const {bootSessions, boot, trials, builds} = nouns;
  stack.use(startMachineReconciler({sql, now, bootSessions, boot, trials, log}));
  stack.use(await startBulkWorker({sql, now, work: nouns.bulkWork, log}));
  const {hardwareHistoryDays: historyDays} = config;
  stack.use(startHardwareHistory({sql, now, historyDays, log}));
  const {issueEvaluation: evaluation, issueMutes: mutes} = nouns;
  stack.use(startIssueWorker({sql, evaluation, mutes, positions, log}));
  stack.use(startRegistrationImages({sql, now, builds, listLiveBuilders: liveBuilders, log}));
  const {rebootWhenReady} = config;
  // Report ids of receipts are random, as every id on the bus.
  const newId = randomUUID;
  const inventories = stack.use(openInventories({sql, nouns, registry, log}));
  const busWorkers = {bus, sql, nouns, newId, rebootWhenReady, inventories, log, outages};
  stack.use(startBusWorkers(busWorkers));

  const webhooks = stack.use(await openWebhooks({deps, key, config, registry, log}));
  const people = createPeople({deps, key, config});
  const {users} = people;
  const readiness = () => ({database: database.isUp()});
  const routes = createRoutes({
    config,
    foundation,
    nouns,
    audit: createAudit({sql, signer}),
    answers,
    services,
    people,
    webhooks,
    view: {now, busStatus},
    readiness,
  });

  const localToken = config.localTokenFile
    ? stack.use(await writeLocalToken(config.localTokenFile))
    : undefined;
  const identify = createIdentify({
    ...people,
    checkPassword: people.checkRememberedPassword,
    services,
    localTokenSha256: localToken?.sha256,
  });
  if (!(await users.hasAdministrator()))
    log.warn('no administrator yet: "muster admin setup-link" prints a link that makes one');

  const shutdown = new AbortController();
  const handler = createRouter({
    routes,
    interceptors: createInterceptors({identify, record: recorder.record, log, metrics: registry}),
    readiness,
    handlers: [
      createScrapeHandler({
        pages: new Map([
          ['/api/v1/metrics', fleetPage(createExposition(nouns.fleetMetrics))],
          ['/metrics', processPage(registry)],
        ]),
        networks: config.scrapeNetworks,
        identify,
        log,
      }),
      createBlobHandler({
        store: blobs,
        record: recorder.recordUpload,
        sizeBytesMax: config.artifactBytesMax,
        authenticate: async request => {
          const identity = await identifyRequest(request, identify, config.publicUrl);
          return identity.role === 'anonymous' ? undefined : identity;
        },
        log,
      }),
    ],
    console: await openConsole(config.consoleDirectory, log),
    publicOrigin: config.publicUrl,
    log,
    shutdown: shutdown.signal,
  });
  const {host} = config;
  const {port} = stack.use(await listenOnePort({handler, host, port: config.port, log}));
  const keys = await loadTlsKeys(config);
  const tls = keys && stack.use(await listenTls({handler, host, port: config.tlsPort, keys, log}));
  stack.defer(() => shutdown.abort());
  log.info({host, port, tlsPort: tls?.port}, 'listening');

  const owned = stack.move();
  return {port, tlsPort: tls?.port, [Symbol.asyncDispose]: () => owned.disposeAsync()};
}

function countNats(registry: Registry, isConnected: () => boolean): void {
  new Gauge({
    name: 'muster_nats_connected',
    help: 'Whether the server is connected to NATS',
    registers: [registry],
    collect() {
      this.set(Number(isConnected()));
    },
  }).set(0);
}
