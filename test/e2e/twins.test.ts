import {randomUUID} from 'node:crypto';
import test from 'ava';
import {BuildService} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import {
  type Machine,
  Machine_State,
  MachineService,
} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {startContractBuilder} from '../helpers/contract-builder.ts';
import {type Muster, startMuster} from '../helpers/muster.ts';
import {until} from '../helpers/processes.ts';
import {createStranger, enrolStranger} from '../helpers/stranger.ts';

type Identity = {readonly mac: string; readonly uuid: string; readonly serial: string};

/** What firmware would get with everything that it can say about itself. */
async function fetchScript({edgeUrl}: Muster, {mac, uuid, serial}: Identity): Promise<string> {
  const query = {mac: mac.replaceAll(':', '-'), uuid, serial: Buffer.from(serial).toString('hex')};
  return (await fetch(`${edgeUrl}/boot.ipxe?${new URLSearchParams(query).toString()}`)).text();
}

const fetchByMac = async ({edgeUrl}: Muster, {mac}: Identity) =>
  (await fetch(`${edgeUrl}/nixos/machines/${mac}.ipxe`)).text();

async function getMachine(muster: Muster, id: string): Promise<Machine> {
  const {machine} = await muster.client(MachineService).getMachine({id});
  if (!machine) throw new Error(`No machine "${id}"`);
  return machine;
}

async function buildFor(muster: Muster, id: string, hostName: string): Promise<Machine> {
  await muster.client(MachineService).updateMachine({
    machine: {id, imageConfig: {hostName}},
    updateMask: {paths: ['image_config']},
  });
  await muster.client(BuildService).createBuild({machineId: id});
  return until(`the image of ${hostName}`, async () => {
    const machine = await getMachine(muster, id);
    return machine.state === Machine_State.READY && machine.desiredImageId !== '' && machine;
  });
}

test('machines that share a UUID or a serial stay two, and none boots what is for the other', async t => {
  await using muster = await startMuster();
  await using builder = await startContractBuilder(muster, 'b1');
  void builder;
  const uuid = randomUUID();
  const pairs: readonly (readonly [string, Identity, Identity])[] = [
    [
      'uuid',
      {mac: '3c:ec:ef:00:01:0a', uuid, serial: 'TWIN-U1'},
      {mac: '3c:ec:ef:00:01:0b', uuid, serial: 'TWIN-U2'},
    ],
    [
      'serial',
      {mac: '3c:ec:ef:00:02:0a', uuid: randomUUID(), serial: 'TWIN-S'},
      {mac: '3c:ec:ef:00:02:0b', uuid: randomUUID(), serial: 'TWIN-S'},
    ],
  ];
  for (const [what, one, two] of pairs) {
    const ids = await Promise.all(
      [one, two].map(async twin => (await enrolStranger(createStranger(muster, twin))).machineId),
    );
    t.is(new Set(ids).size, 2, what);
    const built = await Promise.all(
      ids.map((id, index) => buildFor(muster, id, `${what}${index}`)),
    );
    t.deepEqual(
      built.map(machine => machine.quarantineReason),
      ['', ''],
      what,
    );

    const [first = '', second = ''] = built.map(({desiredImageId}) => desiredImageId);
    t.not(first, second);
    for (const [twin, own, other] of [
      [one, first, second],
      [two, second, first],
    ] as const)
      for (const fetchOne of [fetchScript, fetchByMac]) {
        const script = await until(`the script of ${twin.mac}`, async () => {
          const text = await fetchOne(muster, twin);
          return text.includes(own) && text;
        });
        t.false(script.includes(other));
      }
    // The name that they share names neither.
    const shared = what === 'uuid' ? uuid : 'TWIN-S';
    const asked = await (await fetch(`${muster.edgeUrl}/nixos/machines/${shared}.ipxe`)).text();
    t.false(asked.includes(first) || asked.includes(second));
  }
});

test('of machines that share everything but the NIC the second is held back', async t => {
  await using muster = await startMuster();
  await using builder = await startContractBuilder(muster, 'b1');
  void builder;
  const said = {uuid: randomUUID(), serial: 'CLONE-1'};
  const original = {mac: '3c:ec:ef:00:03:0a', ...said};
  const clone = {mac: '3c:ec:ef:00:03:0b', ...said};
  const {machineId} = await enrolStranger(createStranger(muster, original));
  const {desiredImageId} = await buildFor(muster, machineId, 'original');
  const answer = await enrolStranger(createStranger(muster, clone));
  t.not(answer.machineId, machineId);
  const held = await getMachine(muster, answer.machineId);
  t.is(held.state, Machine_State.PENDING);
  t.not(held.quarantineReason, '');

  await until('the script of the clone', async () =>
    (await fetchByMac(muster, clone)).includes('It is quarantined'),
  );
  for (const fetchOne of [fetchScript, fetchByMac]) {
    t.true((await fetchOne(muster, original)).includes(desiredImageId));
    t.false((await fetchOne(muster, clone)).includes(desiredImageId));
  }
  // Booting again makes it no third machine, and no operator has to say twice that it is another.
  const again = await enrolStranger(createStranger(muster, clone));
  t.is(again.machineId, answer.machineId);
  t.is((await getMachine(muster, machineId)).quarantineReason, '');
});
