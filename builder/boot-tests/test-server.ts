import {createReadStream} from 'node:fs';
import {once} from 'node:events';
import http from 'node:http';
import type {AddressInfo} from 'node:net';
import {pipeline} from 'node:stream/promises';
import {create, fromJsonString, toJsonString} from '@bufbuild/protobuf';
import {
  BootFileSchema,
  type EnrollAgentRequest,
  EnrollAgentRequestSchema,
  EnrollAgentResponseSchema,
} from '@muster/proto/gen/muster/v1/agents_pb.ts';
import {type GuestReport, GuestReportSchema} from '@muster/proto/gen/muster/v1/image_tests_pb.ts';
import type {BuiltImage, LocalArtifact} from '../backends/backend.ts';
import {writeCpio} from '../cpio.ts';
import {renderTestScript} from './script.ts';
import type {Stage} from './stages.ts';

const bodyBytesMax = 1024 * 1024;
const cpioBlockBytes = 512;
/** How a guest of QEMU's user network reaches the host's loopback. */
const hostAddress = '10.0.2.2';

export type TestServer = AsyncDisposable & {
  readonly port: number;
  /** For QEMU's DHCP server. */
  readonly scriptUrl: string;
};

/** What the agent asks for after its hello in a test that looks at more (docs/image-tests.md). */
export type Guest = {
  /** GuestTask as JSON. */
  readonly task: string;
  readonly onAsked: () => void;
  readonly onReport: (report: GuestReport) => void;
};

const guestPath = '/image-test';

/** Stands in for edge and server in one boot test: script, artifacts, boot.json with a nonce, the enrolment, and what to check. */
export async function startTestServer({
  image,
  nonce,
  macAddress,
  onStage,
  onEnroll,
  guest,
}: {
  image: BuiltImage;
  nonce: string;
  macAddress: string;
  onStage: (stage: Stage) => void;
  onEnroll: (request: EnrollAgentRequest) => void;
  guest?: Guest;
}): Promise<TestServer> {
  const artifacts = new Map<string, LocalArtifact>(
    [image.kernel, ...image.initrds, ...image.layers].map(artifact => [
      `/images/sha256/${artifact.sha256}/${artifact.name}`,
      artifact,
    ]),
  );

  async function answer(request: http.IncomingMessage, response: http.ServerResponse) {
    const {pathname} = new URL(request.url ?? '/', 'http://test');
    const artifact = artifacts.get(pathname);
    if (request.method === 'POST' && pathname === '/muster.v1.AgentService/EnrollAgent') {
      const body = await readBody(request);
      sendJson(
        response,
        200,
        toJsonString(
          EnrollAgentResponseSchema,
          create(EnrollAgentResponseSchema, enrolment(guest)),
        ),
      );
      onEnroll(fromJsonString(EnrollAgentRequestSchema, body, {ignoreUnknownFields: true}));
    } else if (guest && request.method === 'POST' && pathname === `${guestPath}/report`) {
      const report = fromJsonString(GuestReportSchema, await readBody(request), {
        ignoreUnknownFields: true,
      });
      sendJson(response, 200, '{}');
      guest.onReport(report);
    } else if (guest && request.method === 'GET' && pathname === `${guestPath}/task`) {
      sendJson(response, 200, guest.task);
      guest.onAsked();
    } else if (guest && request.method === 'GET' && pathname === `${guestPath}/ping`) {
      sendJson(response, 200, '{}');
    } else if (request.method !== 'GET' && request.method !== 'HEAD') {
      sendJson(response, 404, '{"code":"unimplemented","message":"Not part of a boot test"}');
    } else if (pathname === '/boot.ipxe') {
      onStage('boot script');
      send(response, 'text/plain', Buffer.from(renderTestScript(image)));
    } else if (pathname === '/boot/token.json') {
      sendJson(response, 200, bootFile());
    } else if (pathname === '/boot/token.cpio') {
      onStage('boot.json fetched');
      send(response, 'application/octet-stream', await wrapBootFile(bootFile()));
    } else if (artifact) {
      await sendArtifact(response, artifact, request.method === 'HEAD');
      if (artifact === image.kernel) onStage('kernel fetched');
      else if (image.initrds.includes(artifact)) onStage('initrd fetched');
    } else {
      response.writeHead(404).end();
    }
  }

  const bootFile = () => {
    const base = `http://${hostAddress}:${port}`;
    return toJsonString(
      BootFileSchema,
      create(BootFileSchema, {
        session: 'boot-test',
        token: nonce,
        edgeUrl: base,
        tokenUrl: `${base}/boot/token.json`,
        enrollUrl: base,
        // The agent refuses a boot.json without them, but a test ends before it would connect to NATS.
        natsServers: [`${hostAddress}:${port}`],
        siteCa: 'A boot test has no site CA',
        bootMacAddress: macAddress,
        ...(guest ? {imageTestUrl: `${base}${guestPath}`} : {}),
      }),
      {useProtoFieldName: true, alwaysEmitImplicit: true},
    );
  };

  const server = http.createServer((request, response) => {
    // A machine that goes away in mid-transfer is its own diagnosis: the console says how far it came.
    answer(request, response).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const {port} = server.address() as AddressInfo;
  return {
    port,
    scriptUrl: `http://${hostAddress}:${port}/boot.ipxe`,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** What lets the agent go on after its hello. Nothing takes the credential. */
const enrolment = (guest: Guest | undefined) =>
  guest ? {machineId: 'image-test', natsJwt: 'image-test', expiresInSeconds: 3600} : {};

/** As the edge wraps it (docs/boot.md): newc, mode 0400, padded to 512. */
async function wrapBootFile(text: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const tree = new Map([
    ['muster/boot.json', {type: 'file', mode: 0o400, content: Buffer.from(text)}],
  ] as const);
  for await (const chunk of writeCpio(tree, 0)) chunks.push(chunk);
  const archive = Buffer.concat(chunks);
  return Buffer.concat([
    archive,
    Buffer.alloc((cpioBlockBytes - (archive.length % cpioBlockBytes)) % cpioBlockBytes),
  ]);
}

function send(response: http.ServerResponse, type: string, body: Buffer): void {
  response.writeHead(200, {'content-type': type, 'content-length': body.length}).end(body);
}

function sendJson(response: http.ServerResponse, status: number, text: string): void {
  response.writeHead(status, {'content-type': 'application/json'}).end(text);
}

async function sendArtifact(
  response: http.ServerResponse,
  artifact: LocalArtifact,
  headOnly: boolean,
): Promise<void> {
  response.writeHead(200, {
    'content-type': 'application/octet-stream',
    'content-length': artifact.sizeBytes,
  });
  if (headOnly) response.end();
  else await pipeline(createReadStream(artifact.path, {highWaterMark: 1024 * 1024}), response);
}

async function readBody(request: http.IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += (chunk as Buffer).length;
    if (bytes > bodyBytesMax) throw new Error(`A request body above ${bodyBytesMax} bytes`);
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString('utf8');
}
