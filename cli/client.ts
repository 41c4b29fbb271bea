import {readFileSync} from 'node:fs';
import {
  type Client,
  Code,
  ConnectError,
  createClient,
  type Interceptor,
  type Transport,
} from '@connectrpc/connect';
import {createConnectTransport} from '@connectrpc/connect-node';
import {timestampDate} from '@bufbuild/protobuf/wkt';
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
import {SessionService} from '@muster/proto/gen/muster/v1/sessions_pb.ts';
import {TemplateService} from '@muster/proto/gen/muster/v1/templates_pb.ts';
import {TokenService} from '@muster/proto/gen/muster/v1/tokens_pb.ts';
import {UserService} from '@muster/proto/gen/muster/v1/users_pb.ts';
import {WorkspaceService} from '@muster/proto/gen/muster/v1/workspaces_pb.ts';
import {WebhookService} from '@muster/proto/gen/muster/v1/webhooks_pb.ts';
import {findLogin, type Login, saveLogin} from './credentials.ts';
import {CommandError, exitStatus} from './exit-status.ts';
import {lockFile} from './lock.ts';

const refreshBeforeMs = 30_000;
const refreshLockSeconds = 20;

export type Clients = {
  readonly audit: Client<typeof AuditService>;
  readonly boot: Client<typeof BootService>;
  readonly builds: Client<typeof BuildService>;
  readonly bulk: Client<typeof BulkService>;
  readonly components: Client<typeof ComponentService>;
  readonly discovery: Client<typeof DiscoveryService>;
  readonly events: Client<typeof EventService>;
  readonly groups: Client<typeof GroupService>;
  readonly hardware: Client<typeof HardwareService>;
  readonly images: Client<typeof ImageService>;
  readonly imageTests: Client<typeof ImageTestService>;
  readonly imports: Client<typeof ImportService>;
  readonly issues: Client<typeof IssueService>;
  readonly machines: Client<typeof MachineService>;
  readonly metrics: Client<typeof MetricsService>;
  readonly operations: Client<typeof OperationService>;
  readonly rollouts: Client<typeof RolloutService>;
  readonly rules: Client<typeof RuleService>;
  readonly searches: Client<typeof SearchService>;
  readonly services: Client<typeof ServiceService>;
  readonly sessions: Client<typeof SessionService>;
  readonly templates: Client<typeof TemplateService>;
  readonly tokens: Client<typeof TokenService>;
  readonly users: Client<typeof UserService>;
  readonly workspaces: Client<typeof WorkspaceService>;
  readonly webhooks: Client<typeof WebhookService>;
};

export type Access = {
  readonly serverUrl: string;
  /** Empty: the saved login, else the local token. */
  readonly token: string;
  readonly credentialsFile: string;
  readonly localTokenFile: string;
  readonly tls?: TlsFiles;
};

/** PEM files; empty: none. */
export type TlsFiles = {
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly caFile: string;
};

/** Clients of every service, with the best credential that there is. HTTP/1.1, so that no session outlives the last answer. */
export function createClients(access: Access): Clients {
  const transport = createConnectTransport({
    baseUrl: access.serverUrl,
    httpVersion: '1.1',
    interceptors: [authorize(access)],
    nodeOptions: readTlsFiles(access.tls),
  });
  return {
    audit: createClient(AuditService, transport),
    boot: createClient(BootService, transport),
    builds: createClient(BuildService, transport),
    bulk: createClient(BulkService, transport),
    components: createClient(ComponentService, transport),
    discovery: createClient(DiscoveryService, transport),
    events: createClient(EventService, transport),
    groups: createClient(GroupService, transport),
    hardware: createClient(HardwareService, transport),
    images: createClient(ImageService, transport),
    imageTests: createClient(ImageTestService, transport),
    imports: createClient(ImportService, transport),
    issues: createClient(IssueService, transport),
    machines: createClient(MachineService, transport),
    metrics: createClient(MetricsService, transport),
    operations: createClient(OperationService, transport),
    rollouts: createClient(RolloutService, transport),
    rules: createClient(RuleService, transport),
    searches: createClient(SearchService, transport),
    services: createClient(ServiceService, transport),
    sessions: createClient(SessionService, transport),
    templates: createClient(TemplateService, transport),
    tokens: createClient(TokenService, transport),
    users: createClient(UserService, transport),
    workspaces: createClient(WorkspaceService, transport),
    webhooks: createClient(WebhookService, transport),
  };
}

function readTlsFiles(files: TlsFiles | undefined) {
  if (!files) return {};
  const {certificateFile, keyFile, caFile} = files;
  return {
    ...(certificateFile ? {cert: readFileSync(certificateFile)} : {}),
    ...(keyFile ? {key: readFileSync(keyFile)} : {}),
    ...(caFile ? {ca: readFileSync(caFile)} : {}),
  };
}

/** With the local token and nothing else. */
export function createLocalClients(access: Pick<Access, 'serverUrl' | 'localTokenFile'>): Clients {
  const token = readLocalToken(access);
  if (token === undefined)
    throw new CommandError(
      `Cannot read "${access.localTokenFile}": run this as root on the host of the server, with --server http://127.0.0.1:8080; where the server runs alone, "node server/main.ts admin-reset NAME" does it`,
      exitStatus.notAllowed,
    );
  return createClients({...access, token, credentialsFile: ''});
}

const withoutCredential: ReadonlySet<string> = new Set([
  SessionService.method.login.name,
  SessionService.method.logout.name,
  SessionService.method.refreshSession.name,
  SessionService.method.beginOidcLogin.name,
  SessionService.method.completeOidcLogin.name,
  UserService.method.completePasswordReset.name,
]);

function authorize(access: Access): Interceptor {
  return next => async request => {
    if (!withoutCredential.has(request.method.name)) {
      const token = await findToken(access);
      if (token) request.header.set('authorization', `Bearer ${token}`);
    }
    return next(request);
  };
}

async function findToken(access: Access): Promise<string | undefined> {
  if (access.token) return access.token;
  const login = findLogin(access.credentialsFile, access.serverUrl);
  if (login) return isFresh(login) ? login.token : await refresh(access);
  return readLocalToken(access);
}

const isFresh = ({expiresAt}: Login): boolean =>
  Date.parse(expiresAt) - Date.now() > refreshBeforeMs;

/** A refresh token works once, so only one process at a time may use it. */
async function refresh(access: Access): Promise<string | undefined> {
  const {credentialsFile, serverUrl} = access;
  const what = 'Another muster command refreshes the saved login';
  using _lock = lockFile(`${credentialsFile}.lock`, what, refreshLockSeconds);
  const login = findLogin(credentialsFile, serverUrl);
  if (!login || isFresh(login)) return login?.token;

  const transport: Transport = createConnectTransport({
    baseUrl: serverUrl,
    httpVersion: '1.1',
    nodeOptions: readTlsFiles(access.tls),
  });
  try {
    const answer = await createClient(SessionService, transport).refreshSession({
      refreshToken: login.refreshToken,
    });
    saveLogin(credentialsFile, serverUrl, {
      username: login.username,
      token: answer.token,
      expiresAt: (answer.expiresAt ? timestampDate(answer.expiresAt) : new Date()).toISOString(),
      refreshToken: answer.refreshToken,
    });
    return answer.token;
  } catch (error) {
    if (!(error instanceof ConnectError) || error.code !== Code.Unauthenticated) throw error;
    saveLogin(credentialsFile, serverUrl, undefined);
    throw new ConnectError(
      'The saved login has ended',
      Code.Unauthenticated,
      undefined,
      undefined,
      error,
    );
  }
}

/** Only towards this host: the token is worth everything here and must not travel. */
function readLocalToken({
  serverUrl,
  localTokenFile,
}: Pick<Access, 'serverUrl' | 'localTokenFile'>): string | undefined {
  if (!['127.0.0.1', 'localhost', '[::1]'].includes(new URL(serverUrl).hostname)) return undefined;
  try {
    return readFileSync(localTokenFile, 'utf8').trim();
  } catch {
    return undefined; // No `up` here, or not for this user: the server will ask for a login.
  }
}
