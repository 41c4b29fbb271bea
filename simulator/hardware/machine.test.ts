import {createHash} from 'node:crypto';
import {create, fromJson} from '@bufbuild/protobuf';
import {createValidator} from '@bufbuild/protovalidate';
import {
  AgentReportSchema,
  EvidenceSchema,
  type Evidence as EvidenceMessage,
} from '@muster/proto/gen/muster/v1/agents_pb.ts';
import {HardwareSchema} from '@muster/proto/gen/muster/v1/hardware_pb.ts';
import {macKind, parseMacAddress} from '@muster/server/domain/identifiers.ts';
import {evidenceItems} from '@muster/server/domain/identity.ts';
import {parseReport} from '@muster/server/workers/parse-report.ts';
import {readParts} from '@muster/server/workers/inventory-parts.ts';
import test from 'ava';
import {makeHardware, serialMark} from './machine.ts';
import {makers} from './makers.ts';

const count = 300;
const fleet = (seed: string) =>
  Array.from({length: count}, (_, index) => makeHardware(seed, index));
const validator = createValidator();

test('the same seed gives the same machines, byte for byte; another seed gives others', t => {
  const text = JSON.stringify(fleet('1'));
  t.is(JSON.stringify(fleet('1')), text);
  t.not(JSON.stringify(fleet('2')), text);
  // In every process and on every host: whoever changes the catalogue changes this line.
  const digest = createHash('sha256')
    .update(JSON.stringify(fleet('1').slice(0, 50)))
    .digest('hex');
  t.is(digest.slice(0, 16), '0c8191752470595a');
});

test('every make is in a fleet, and every serial has the mark', t => {
  const machines = fleet('1');
  t.deepEqual(
    [...new Set(machines.map(({maker}) => maker))].sort(),
    makers.map(({name}) => name).sort(),
  );
  t.true(machines.every(({serial}) => serial.startsWith(serialMark)));
});

test('no two machines share a serial, a UUID or a MAC', t => {
  const machines = Array.from({length: 5000}, (_, index) => makeHardware('1', index));
  const macs = machines.flatMap(({macs, evidence}) =>
    [...macs, evidence.bmcMacAddress ?? []].flat(),
  );
  t.is(new Set(machines.map(({serial}) => serial)).size, machines.length);
  t.is(new Set(machines.map(({uuid}) => uuid)).size, machines.length);
  t.is(new Set(macs).size, macs.length);
});

test('the inventory keeps the contract, and the server reads every part of it', t => {
  for (const {hardware, serial} of fleet('1')) {
    const message = fromJson(HardwareSchema, hardware);
    t.is(validator.validate(HardwareSchema, message).kind, 'valid', serial);
    const {parts, unread} = readParts(message);
    // A TPM or BMC that the machine has not may as well be one that the image has no driver for.
    t.true(
      [...unread].every(kind => kind === 'tpm' || kind === 'bmc'),
      [...unread].join(),
    );
    const of = (kind: string) => parts.filter(part => part.kind === kind);
    t.is(of('disk').length, message.disks.length);
    t.is(of('nic').length, message.nics.length);
    t.is(of('dimm').length, message.memory?.dimms.length ?? 0);
    t.true(
      [...of('disk'), ...of('nic'), ...of('dimm')].every(part => part.serial !== ''),
      serial,
    );
    const places = parts.map(({kind, slot}) => `${kind} ${slot}`);
    t.is(new Set(places).size, places.length, serial);
  }
});

test('the server takes a report with it', t => {
  const machineId = '0198c0de-0000-7000-8000-000000000001';
  const reportId = '3f0c2b62-6a53-4f7e-9a57-9d7a0e1c1b2a';
  for (const {hardware} of fleet('1').slice(0, 20)) {
    const report = parseReport({
      subject: `muster.reports.agent.${machineId}.inventory`,
      data: Buffer.from(JSON.stringify({reportId, machineId, inventory: hardware})),
    });
    t.not(typeof report, 'string');
  }
  t.is(create(AgentReportSchema, {reportId}).reportId, reportId);
});

test('evidence tells machines apart, and what cheap boards share is none', t => {
  for (const {evidence, maker, macs} of fleet('1')) {
    const message: EvidenceMessage = fromJson(EvidenceSchema, evidence);
    t.is(validator.validate(EvidenceSchema, message).kind, 'valid');
    const kinds = new Set(evidenceItems(message).map(({kind}) => kind));
    t.true(['uuid', 'system_serial', 'mac', 'disk_serial'].every(kind => kinds.has(kind as 'mac')));
    t.is(kinds.has('board_serial'), maker !== 'whitebox');
    for (const mac of macs) t.is(macKind(parseMacAddress(mac) ?? ''), 'universal', mac);
  }
});
