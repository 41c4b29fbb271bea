import {MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {type Database, openDatabase} from '@muster/server/store/db.ts';
import {type Muster, startMuster} from '../helpers/muster.ts';
import {median, percentile, print} from './measure.ts';

const machineCount = 100_000;
const rounds = 5;
/** Of fewer the 99th of a hundred is the slowest, whatever happened to it. */
const pagesPerRound = 300;
const pageSize = 50;
const ratioMax = 4;

/** What an operator's list shows of a machine. */
const shownFields =
  'id service_tag mac_address hostname state presence last_seen_time manufacturer product'.split(
    ' ',
  );

/** Pages of filters among 100,000 machines through the API, against the same rows by hand-written SQL over the same indexes. */
export async function benchSearch(): Promise<void> {
  await using muster = await startMuster();
  const sql = openDatabase(muster.postgres.url);
  try {
    const since = performance.now();
    await seed(sql);
    print({
      what: 'machines seeded, indexes included',
      value: `${machineCount}`,
      base: `${Math.round((performance.now() - since) / 1000)} s`,
      limit: '',
      met: true,
    });
    for (const search of searches(sql)) await compare(muster, search);
    await compareFacets(muster, sql);
  } finally {
    await sql.end({timeout: 5});
  }
}

type Search = {
  readonly what: string;
  readonly filter: (n: number) => string;
  readonly orderBy?: string;
  /** Of each round, where one takes long. */
  readonly pages?: number;
  /** Prepared, with the machine's number in place of what the filter says. */
  readonly raw: (n: number) => Promise<readonly {readonly id: string}[]>;
};

const columns =
  'id, service_tag, mac_address, hostname, state, last_seen_time, manufacturer, product';
const from = 'from machines left join machine_presence on machine_id = id';

function searches(sql: Database): readonly Search[] {
  const query = (where: string, values: unknown[], order = 'create_time, id') =>
    sql.unsafe<{id: string}[]>(
      `select ${columns} ${from} where ${where} order by ${order} limit ${pageSize + 1}`,
      values as never[],
      {prepare: true},
    );
  const found = (where: string) => `id in (select machine_id from machine_search where ${where})`;
  return [
    {
      what: 'state and memory',
      filter: n => `state = READY AND hardware.memory_bytes > ${[32, 64, 128][n % 3]}G`,
      raw: n =>
        query('state = $1 and memory_bytes > $2', ['ready', ([32, 64, 128][n % 3] ?? 0) * 2 ** 30]),
    },
    {
      what: 'a label',
      filter: n => `labels.rack = "r${n % 400}"`,
      raw: n => query('labels @> $1::text::jsonb', [JSON.stringify({rack: `r${n % 400}`})]),
    },
    {
      what: 'product, by host name',
      filter: n => `product = "${products[n % products.length]}"`,
      orderBy: 'hostname',
      raw: n =>
        query(
          'lower(product) = $1',
          [products[n % products.length]?.toLowerCase()],
          'lower(hostname), id',
        ),
    },
    {
      what: 'part of a MAC address',
      filter: n => macOf(n).slice(3, 14),
      raw: n => query(found('text like $1'), [`%${macOf(n).slice(3, 14)}%`]),
    },
    {
      what: 'a word that a quarter have',
      filter: () => 'dell',
      raw: () => query(found('text like $1'), ['%dell%']),
    },
    {
      what: 'a word with a typing error',
      pages: 3,
      filter: n => `${['supermirco', 'powerdege', 'prolaint'][n % 3]}`,
      raw: n =>
        query('id in (select machines_similar_to($1))', [
          ['supermirco', 'powerdege', 'prolaint'][n % 3],
        ]),
    },
    {
      what: 'serial number of a disk',
      filter: n => `hardware.disks.serial = d${n}x1`,
      raw: n =>
        query(found('facts @> $1::text::jsonb'), [JSON.stringify({disks: [{serial: `d${n}x1`}]})]),
    },
  ];
}

async function compare(muster: Muster, search: Search): Promise<void> {
  const machines = muster.client(MachineService);
  const api: number[] = [];
  const raw: number[] = [];
  const ratios: number[] = [];
  for (let round = 0; round <= rounds; round += 1) {
    const [ours, theirs]: [number[], number[]] = [[], []];
    for (let page = 0; page < (search.pages ?? pagesPerRound); page += 1) {
      const n = (round * 7919 + page * 104_729) % machineCount;
      const {filter, orderBy = ''} = search;
      let since = performance.now();
      const rows = await search.raw(n);
      theirs.push(performance.now() - since);
      since = performance.now();
      const answer = await machines.listMachines({
        filter: filter(n),
        orderBy,
        pageSize,
        readMask: {paths: shownFields},
      });
      ours.push(performance.now() - since);
      const expected = rows.slice(0, pageSize).map(({id}) => id);
      const ids = answer.machines.map(({id}) => id);
      if (ids.length === 0 || ids.join() !== expected.join())
        throw new Error(
          `"${filter(n)}" found ${ids.length} machines, SQL ${expected.length} others`,
        );
    }
    // The first round warms both up.
    if (round === 0) continue;
    api.push(...ours);
    raw.push(...theirs);
    ratios.push(percentile(ours, 99) / percentile(theirs, 99));
  }
  const ratio = median(ratios);
  print({
    what: `${search.what}: p99 of a page`,
    value: `${percentile(api, 99).toFixed(1)} ms`,
    base: `${ratio.toFixed(2)} × SQL (${percentile(raw, 99).toFixed(1)} ms; p50 ${percentile(api, 50).toFixed(1)} : ${percentile(raw, 50).toFixed(1)})`,
    limit: `≤ ${ratioMax} ×`,
    met: ratio <= ratioMax,
  });
}

/** Of all machines: the most that a facet can cost. */
async function compareFacets(muster: Muster, sql: Database): Promise<void> {
  const machines = muster.client(MachineService);
  const ratios: number[] = [];
  let [apiMs, rawMs] = [0, 0];
  for (let round = 0; round <= rounds; round += 1) {
    let since = performance.now();
    const rows = await sql<{count: number}[]>`
      select product, count(*)::int as count from machines group by product order by count desc, product
    `;
    rawMs = performance.now() - since;
    since = performance.now();
    const {facets} = await machines.listMachineFacets({fields: ['product']});
    apiMs = performance.now() - since;
    const counts = facets[0]?.values.map(({count}) => Number(count)) ?? [];
    if (counts.join() !== rows.map(({count}) => count).join())
      throw new Error(`The facet counts ${counts.join()}, SQL ${rows.length} others`);
    if (round > 0) ratios.push(apiMs / rawMs);
  }
  const ratio = median(ratios);
  print({
    what: 'a facet of all machines',
    value: `${apiMs.toFixed(1)} ms`,
    base: `${ratio.toFixed(2)} × SQL (${rawMs.toFixed(1)} ms)`,
    limit: `≤ ${ratioMax} ×`,
    met: ratio <= ratioMax,
  });
}

const products = ['PowerEdge R640', 'PowerEdge R750', 'ProLiant DL360', 'SYS-6029P', 'SR650'];

const macOf = (n: number) =>
  `3c:ec:ef:${((n * 7919) % 0x1_00_00_00)
    .toString(16)
    .padStart(6, '0')
    .replaceAll(/..(?!$)/g, '$&:')}`;

/** Every seventh is ready; 400 racks; two disks each. */
async function seed(sql: Database): Promise<void> {
  const step = 5000;
  for (let start = 0; start < machineCount; start += step) {
    const numbers = Array.from({length: step}, (_, offset) => start + offset);
    const macs = numbers.map(macOf);
    await sql`
      with machine as (
        insert into machines (
          id, state, state_time, create_time, update_time, service_tag, hostname, manufacturer, product, mac_address,
          mac_addresses, memory_bytes, cpu_threads, cpu_model, labels
        )
        select gen_random_uuid(), case when n % 7 = 0 then 'ready' else 'active' end, now(), time, time, 'TAG' || n,
          'node-' || lpad(n::text, 6, '0') || '.dc' || n % 5 || '.example', (array['Dell Inc.', 'HPE', 'Supermicro', 'Lenovo'])[n % 4 + 1],
          (${products}::text[])[n % 5 + 1], mac, array[mac], (array[64, 128, 256, 512])[n / 7 % 4 + 1] * 1073741824::bigint, 64, 'Xeon Gold 6130',
          jsonb_build_object('rack', 'r' || n % 400, 'row', 'w' || n % 20)
        from unnest(${numbers}::int[], ${macs}::text[]) as seed (n, mac), lateral (select now() - (200000 - n) * interval '1 second' as time) as t
        returning id, service_tag
      )
      select count(*) from machine
    `;
    await sql`
      update machine_search set facts = jsonb_build_object(
        'disks', jsonb_build_array(
          jsonb_build_object('serial', 'd' || substr(service_tag, 4) || 'x1', 'model', 'ssd', 'size_bytes', 2000000000000),
          jsonb_build_object('serial', 'd' || substr(service_tag, 4) || 'x2', 'model', 'ssd', 'size_bytes', 2000000000000)
        )
      )
      from machines where id = machine_id and facts = '{}'
    `;
  }
  await sql`vacuum analyze machines`;
  await sql`vacuum analyze machine_search`;
  await sql`analyze machine_presence`;
}
