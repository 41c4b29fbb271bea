import {readdir} from 'node:fs/promises';
import type {DescService} from '@bufbuild/protobuf';
import {Code, ConnectError, type ConnectRouter} from '@connectrpc/connect';
import {SessionService} from '@muster/proto/gen/muster/v1/sessions_pb.ts';
import test, {type ExecutionContext} from 'ava';
import {eventually} from '../mock/eventually.ts';
import {addMachines, mockMachine} from '../mock/machines.ts';
import {renderConsole} from '../mock/render.tsx';
import {addSessions} from '../mock/sessions.ts';
import type {MockNoun} from '../mock/transport.ts';

/** What is opened beside a list, or in its place. */
const opened = [
  '/audit?entry=x',
  '/groups?group=x',
  '/groups?mode=new',
  '/image-tests?mode=new',
  '/image-tests?test=x',
  '/issues?issue=x',
  '/nowhere',
  '/builds/x/nowhere',
  '/machines/x/nowhere',
  '/pending?machine=x',
  '/people?user=x',
  '/rules?rule=x',
  '/rules?mode=new',
  '/templates?template=x',
  '/webhooks?webhook=x',
  '/workspaces?workspace=x',
] as const;

/** Every address of the console. */
function addresses(): readonly string[] {
  using app = renderConsole('/sign-in', addSessions);
  const paths = Object.keys(app.router.routesByPath);
  return [...new Set(paths.map(path => path.replace(/(?<=.)\/$/, '')))]
    .concat(opened)
    .map(path => path.replace('$id', 'x'));
}

async function readServices(): Promise<readonly DescService[]> {
  const folder = new URL('../../proto/gen/muster/v1/', import.meta.url);
  const names = await readdir(folder);
  const modules = await Promise.all(
    names.map(async name => (await import(new URL(name, folder).href)) as Record<string, unknown>),
  );
  return modules.flatMap(one => Object.values(one)).filter(isService);
}

const isService = (value: unknown): value is DescService =>
  typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'service';

const services = await readServices();

/** Each call but those about the session. */
const answering =
  (answer: () => Promise<object>): MockNoun =>
  (router: ConnectRouter) => {
    for (const service of services.filter(({typeName}) => typeName !== SessionService.typeName))
      for (const method of service.methods)
        router.rpc(
          method as never,
          (method.methodKind === 'unary'
            ? answer
            : async function* () {
                yield await answer();
              }) as never,
        );
  };

const fail = (code: Code) => () => Promise.reject(new ConnectError('So it is', code));

/** The page has come, and asks for nothing any more but what never answers. */
async function titlesOf(
  address: string,
  {nouns, answers}: {readonly nouns: readonly MockNoun[]; readonly answers: boolean},
): Promise<readonly string[]> {
  using app = renderConsole(address, addSessions, ...nouns);
  const titles = () =>
    [...app.container.querySelectorAll('main h1')].map(({textContent}) => textContent);
  await app.router.load();
  await eventually(`${address} is there`, () => app.router.state.status === 'idle');
  if (answers) await eventually('all is answered', () => app.queryClient.isFetching() === 0);
  return titles();
}

async function checkAll(
  t: ExecutionContext,
  how: {readonly nouns: readonly MockNoun[]; readonly answers: boolean},
  among = addresses(),
): Promise<void> {
  t.timeout(300_000);
  const wrong: string[] = [];
  for (const address of among) {
    const titles = await titlesOf(address, how);
    if (titles.length !== 1) wrong.push(`${address}: ${JSON.stringify(titles)}`);
  }
  t.deepEqual(wrong, []);
}

test.serial('a page that waits for its answers has one title', async t => {
  await checkAll(t, {nouns: [answering(() => new Promise(() => undefined))], answers: false});
});

test.serial('a page whose questions fail has one title', async t => {
  await checkAll(t, {nouns: [answering(fail(Code.Internal))], answers: true});
});

test.serial('a page of something that does not exist has one title', async t => {
  await checkAll(t, {nouns: [answering(fail(Code.NotFound))], answers: true});
});

test.serial('a page without anything on it has one title', async t => {
  await checkAll(t, {nouns: [answering(() => Promise.resolve({}))], answers: true});
});

test.serial('a machine that is there has one title above each of its tabs', async t => {
  const pages = addresses().filter(address => address.startsWith('/machines/x'));
  t.true(pages.length > 9);
  const among = pages.map(address => address.replace('/x', `/${mockMachine(1).id}`));
  await checkAll(t, {nouns: [addMachines], answers: true}, among);
});
