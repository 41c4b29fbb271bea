import {uuidv7} from '@muster/runtime/ids.ts';
import test from 'ava';
import {startPostgres} from '../../test/helpers/postgres.ts';
import {insertMachine} from '../store/machines.ts';
import {createComponents} from './components.ts';
import {createIssues} from './issues.ts';
import {createHardware, type Inventory} from './hardware.ts';

test('what a machine is searched by follows its inventory, also when only the way to search has changed', async t => {
  await using postgres = await startPostgres();
  const {sql} = postgres;
  const now = () => new Date();
  const deps = {sql, now, newId: uuidv7};
  const hardware = createHardware({
    ...deps,
    components: createComponents(deps),
    issues: createIssues(deps),
    versionsOfMachineMax: 10,
  });
  const machineId = uuidv7();
  const times = {stateTime: now(), createTime: now(), updateTime: now()};
  await insertMachine(sql, {id: machineId, state: 'enrolled', hostname: 'r7', ...times});
  const inventory = (serial: string): Inventory => ({
    json: JSON.stringify({serial}),
    facts: JSON.stringify({disks: [{serial}]}),
    words: serial,
    parts: [],
    unread: new Set(),
    summary: {
      cpuThreads: 4,
      cpuModel: 'Xeon',
      memoryBytes: 1,
      diskCount: 1,
      diskBytes: 1,
      firmwareMode: 'uefi',
    },
  });
  const save = (serial: string) =>
    sql.begin(tx => hardware.save(tx, machineId, inventory(serial), {time: now()}));
  const searched = async () => {
    const [row] = await sql`
      select text, facts #>> '{disks,0,serial}' as serial, (select count(*)::int from events) as events
      from machine_search where machine_id = ${machineId}
    `;
    return {...row};
  };
  await save('s1');
  t.deepEqual(await searched(), {text: 'r7 xeon s1', serial: 's1', events: 1});

  await sql`update machine_search set facts = '{}', text = '', facts_version = 0`;
  await save('s1');
  t.deepEqual(await searched(), {text: 'r7 xeon s1', serial: 's1', events: 1});
  await save('s2');
  t.deepEqual(await searched(), {text: 'r7 xeon s2', serial: 's2', events: 1});
});
