import {createClient} from '@connectrpc/connect';
import {SearchService} from '@muster/proto/gen/muster/v1/searches_pb.ts';
import {uuidv7} from '@muster/runtime/ids.ts';
import test from 'ava';
import {postgresOf} from '../../test/helpers/postgres.ts';
import {createMachineSearch} from '../domain/machine-search.ts';
import {createSavedSearches, searchesOfOwnerMax} from '../domain/saved-searches.ts';
import type {Role} from './permissions.ts';
import {searchService} from './searches.ts';
import {serveInMemory} from '../../test/helpers/in-memory.ts';

const postgres = postgresOf(test);

async function setUp() {
  const database = await postgres.createDatabase();
  const {sql} = database;
  const deps = {sql, now: () => new Date(), newId: uuidv7};
  const busStatus = () => ({connected: true, since: new Date(0)});
  const search = createMachineSearch({...deps, busStatus});
  const searches = createSavedSearches({...deps, search});
  const as = (name: string, role: Role) =>
    createClient(
      SearchService,
      serveInMemory(
        ({service}) => service(SearchService, searchService(searches)),
        () => ({name, role, address: ''}),
      ),
    );
  return {
    sql,
    olga: as('user:olga', 'operator'),
    vera: as('user:vera', 'viewer'),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

test('people have searches of their own, and everybody has those of operators', async t => {
  await using app = await setUp();
  const {olga, vera} = app;
  const big = {name: 'big', filter: 'hardware.memory_bytes > 64G', orderBy: 'hostname'};
  t.like((await vera.saveSearch({search: big})).search, {...big, shared: false});
  const ready = {name: 'ready', filter: 'state = READY', shared: true};
  t.like((await olga.saveSearch({search: ready})).search, ready);
  await olga.saveSearch({search: {name: 'Big', filter: 'big', shared: true}});

  const names = async (who: typeof olga) =>
    (await who.listSearches({})).searches.map(({name, shared}) => `${name}${shared ? '*' : ''}`);
  t.deepEqual(await names(vera), ['big', 'Big*', 'ready*']);
  t.deepEqual(await names(olga), ['Big*', 'ready*']);
  t.is((await vera.getSearch({id: 'BIG'})).search?.filter, big.filter, 'one’s own comes first');
  t.is((await olga.getSearch({id: 'BIG'})).search?.filter, 'big');

  const {search} = await vera.saveSearch({search: {...big, filter: 'x'}});
  t.is((await vera.getSearch({id: search?.id ?? ''})).search?.filter, 'x', 'in place of the first');
  await t.throwsAsync(olga.getSearch({id: search?.id ?? ''}), {message: /\[not_found\]/});
  await t.throwsAsync(olga.deleteSearch({id: search?.id ?? ''}), {message: /\[not_found\]/});
  await vera.deleteSearch({id: 'big'});
  await t.throwsAsync(vera.deleteSearch({id: 'big'}), {message: /\[permission_denied\]/});
  await olga.deleteSearch({id: 'big'});
  t.deepEqual(await names(vera), ['ready*']);
});

test('what is no search is refused', async t => {
  await using app = await setUp();
  const {olga, vera} = app;
  const save = (search: object) => vera.saveSearch({search: {name: 'x', ...search}});
  await t.throwsAsync(save({filter: 'stat = A'}), {message: /there is no field "stat"/});
  await t.throwsAsync(save({orderBy: 'labels'}), {message: /Cannot order by "labels"/});
  await t.throwsAsync(save({shared: true}), {
    message: /\[permission_denied\] Cannot share "?search/,
  });
  await t.throwsAsync(olga.getSearch({id: 'a\0'}), {message: /\[not_found\]/});
  await app.sql`
    insert into saved_searches
    select gen_random_uuid(), 'user:vera', 'n' || n, '', '', now() from generate_series(1, ${searchesOfOwnerMax}::int) as n
  `;
  await t.throwsAsync(save({filter: 'a'}), {message: /\[resource_exhausted\] .* more than 200/});
  t.is(
    (await save({name: 'n1', filter: 'b'})).search?.filter,
    'b',
    'in place of one that is there',
  );
});
