import test from 'ava';
import {type Muster, startMuster} from '../helpers/muster.ts';
import {said, withToken} from '../helpers/command.ts';

const muster = async (muster: Muster, ...args: string[]): Promise<string> =>
  said(args, withToken(muster.serverUrl, await muster.localToken()));

/** As the scripts of Metal Enrollment's users call it. */
async function rest(muster: Muster, method: string, path: string, body?: object) {
  const response = await fetch(`${muster.serverUrl}/api/v1/${path}`, {
    method,
    headers: {
      authorization: `Bearer ${await muster.localToken()}`,
      'content-type': 'application/json',
    },
    ...(body && {body: JSON.stringify(body)}),
  });
  const json = (await response.json()) as never;
  return {status: response.status, json, next: response.headers.get('next-page-token')};
}

type RestMachine = {readonly id: string; readonly hostname: string; readonly labels: object};

test('machines are found, labelled and grouped over REST and from the command line', async t => {
  await using app = await startMuster();
  const ids: string[] = [];
  for (const hostname of ['web1', 'web2', 'db1']) {
    const made = await rest(app, 'POST', 'machines', {service_tag: `SN-${hostname}`, hostname});
    ids.push((made.json as RestMachine).id);
  }

  const made = await rest(app, 'POST', 'groups', {
    name: 'web-servers',
    description: 'Production web servers',
    tags: ['production', 'web'],
  });
  t.is(made.status, 200);
  const group = made.json as {id: string; tags: string[]};
  t.deepEqual(group.tags, ['production', 'web']);
  t.like((await rest(app, 'GET', 'groups')).json, {length: 1, 0: {name: 'web-servers'}});
  for (const id of ids.slice(0, 2))
    t.is((await rest(app, 'PUT', `groups/${group.id}/machines/${id}`)).status, 200);
  const members = (await rest(app, 'GET', `groups/${group.id}/machines`)).json as RestMachine[];
  t.deepEqual(
    members.map(({hostname}) => hostname),
    ['web1', 'web2'],
  );
  const renamed = await rest(app, 'PUT', `groups/${group.id}`, {description: 'Old'});
  t.like(renamed.json, {name: 'web-servers', description: 'Old', tags: ['production', 'web']});

  t.regex(await muster(app, 'machines', 'label', 'SN-db1', 'rack=r7', 'row_id=w 1'), /rack=r7/);
  await muster(app, 'machines', 'update', 'SN-web1', '--notes', 'Lent to Olga');
  const query = new URLSearchParams({
    filter: 'labels.row_id = "w 1" OR olga',
    order_by: 'hostname desc',
    read_mask: 'hostname,labels',
    page_size: '1',
  });
  const first = await rest(app, 'GET', `machines?${query}`);
  t.like(first.json, {length: 1, 0: {id: '', hostname: 'web1'}});
  query.set('page_token', first.next ?? '');
  const second = await rest(app, 'GET', `machines?${query}`);
  t.like(second.json, {length: 1, 0: {hostname: 'db1', labels: {rack: 'r7', row_id: 'w 1'}}});
  t.is(second.next, null);
  const refused = await rest(app, 'GET', 'machines?filter=stat%3DREADY');
  t.is(refused.status, 400);
  t.regex(JSON.stringify(refused.json), /there is no field .*stat.* \(character 1 of 10\)/);
  t.like((await rest(app, 'GET', 'machine-facets?fields=labels.rack')).json, {
    0: {field: 'labels.rack', values: [{value: 'r7', count: 1}]},
  });

  const list = async (...args: string[]) =>
    (JSON.parse(await muster(app, 'machines', 'list', '--json', ...args)) as RestMachine[])
      .map(({hostname}) => hostname)
      .join(' ');
  t.is(await list('--label', 'rack=r7'), 'db1');
  t.is(await list('--filter', 'group = web-servers', '--order-by', 'hostname desc'), 'web2 web1');
  await muster(app, 'searches', 'save', 'webs', 'hostname = web*', '--order-by', 'hostname desc');
  t.is(await list('--search', 'webs', '--filter', '-olga'), 'web2');
  t.regex(await muster(app, 'machines', 'list', '--search', 'webs'), /SN-web2[^]*SN-web1/);
  t.regex(await muster(app, 'machines', 'facets', 'state'), /state +3 +expected/);
  t.regex(await muster(app, 'machines', 'fields'), /labels\.KEY +LABELS/);

  await muster(app, 'groups', 'create', 'r7', '--filter', 'labels.rack = r7');
  t.regex(await muster(app, 'groups', 'machines', 'r7'), /SN-db1/);
  t.regex(await muster(app, 'groups', 'list', '--machine', 'SN-db1'), /r7 +- +labels\.rack = r7/);
  await muster(app, 'groups', 'remove', 'web-servers', 'SN-web1');
  await muster(app, 'groups', 'add', 'web-servers', 'SN-db1');
  const changed = JSON.parse(
    await muster(app, 'groups', 'machines', 'web-servers', '--order-by', 'hostname', '--json'),
  ) as RestMachine[];
  t.deepEqual(
    changed.map(({hostname}) => hostname),
    ['db1', 'web2'],
  );
});
