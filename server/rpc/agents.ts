import {toBinary} from '@bufbuild/protobuf';
import {timestampDate} from '@bufbuild/protobuf/wkt';
import type {ServiceImpl} from '@connectrpc/connect';
import {
  type AgentService,
  type Evidence as EvidenceMessage,
  EvidenceSchema,
} from '@muster/proto/gen/muster/v1/agents_pb.ts';
import type {Enrolment} from '../domain/enrolment.ts';
import {printable} from '../domain/identifiers.ts';
import type {Evidence} from '../domain/identity.ts';
import type {Renewal} from '../domain/renewal.ts';
import {DomainError} from '../errors.ts';

const evidenceBytesMax = 64 * 1024;

/** The proof is in each request; whoever calls is nobody until the domain has checked it. */
export const agentService = ({
  enrolment,
  renewal,
  natsServers,
}: {
  readonly enrolment: Enrolment;
  readonly renewal: Renewal;
  /** host:port; empty: those of boot.json. */
  readonly natsServers: readonly string[];
}): ServiceImpl<typeof AgentService> => ({
  async enrollAgent({bootToken, publicKey, evidence, machineTime, ...running}) {
    if (!evidence) throw new DomainError('invalid_argument', 'Cannot enrol without evidence');
    const {imageInputKey, bootId, agentVersion} = running;
    const sizeBytes = toBinary(EvidenceSchema, evidence).length;
    if (sizeBytes > evidenceBytesMax)
      throw new DomainError(
        'invalid_argument',
        `Cannot enrol with ${sizeBytes} bytes of evidence: at most ${evidenceBytesMax}; the inventory follows on the bus`,
      );
    const enrolled = await enrolment.enrol({
      bootToken,
      publicKey,
      evidence: toEvidence(evidence),
      imageInputKey: printable(imageInputKey, 128),
      bootId: printable(bootId, 64),
      agentVersion: printable(agentVersion, 64),
      machineTime: machineTime && timestampDate(machineTime),
    });
    return {
      machineId: enrolled.machineId,
      natsJwt: enrolled.jwt,
      expiresInSeconds: enrolled.expiresInSeconds,
      natsServers: [...natsServers],
      machineState: enrolled.state,
    };
  },

  async createAgentNonce({machineId}) {
    return {nonce: await renewal.createNonce(machineId)};
  },

  async renewAgent({machineId, publicKey, nonce, signature}) {
    const {jwt, expiresInSeconds} = await renewal.renew({machineId, publicKey, nonce, signature});
    return {natsJwt: jwt, expiresInSeconds};
  },
});

function toEvidence(message: EvidenceMessage): Evidence {
  return {
    uuid: printable(message.uuid, 64),
    systemSerial: printable(message.systemSerial, 128),
    boardSerial: printable(message.boardSerial, 128),
    chassisSerial: printable(message.chassisSerial, 128),
    macAddresses: message.macAddresses,
    bmcMacAddress: message.bmcMacAddress,
    tpmEkHash: printable(message.tpmEkHash, 128),
    diskSerials: message.diskSerials,
    dimmSerials: message.dimmSerials,
    manufacturer: printable(message.manufacturer, 256),
    product: printable(message.product, 256),
    bootMacAddress: message.bootMacAddress,
    firmwareMode: printable(message.firmwareMode, 16),
  };
}
