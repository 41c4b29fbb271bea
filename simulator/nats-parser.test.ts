import test from 'ava';
import {createNatsParser} from './nats-parser.ts';

const wire = Buffer.from(
  'INFO {"nonce":"x"}\r\n+OK\r\nMSG a.b 1 7\r\nhällo!\r\nMSG a.c 1 reply 0\r\n\r\nPING\r\nPONG\r\n-ERR \'Authorization Violation\'\r\n',
);
const plain = (chunks: readonly Buffer[]) => {
  const parser = createNatsParser();
  return chunks.flatMap(chunk =>
    [...parser.take(chunk)].map(frame =>
      frame.kind === 'message' ? {...frame, data: Buffer.from(frame.data).toString()} : frame,
    ),
  );
};
const frames = [
  {kind: 'info', json: '{"nonce":"x"}'},
  {kind: 'ok'},
  {kind: 'message', subject: 'a.b', data: 'hällo!'},
  {kind: 'message', subject: 'a.c', data: ''},
  {kind: 'ping'},
  {kind: 'pong'},
  {kind: 'error', text: "'Authorization Violation'"},
];

test('frames are the same wherever the bytes are cut', t => {
  t.deepEqual(plain([wire]) as unknown, frames);
  for (let cut = 1; cut < wire.length; cut++)
    t.deepEqual(plain([wire.subarray(0, cut), wire.subarray(cut)]) as unknown, frames);
  const bytes = Array.from(wire, (_, at) => wire.subarray(at, at + 1));
  t.deepEqual(plain(bytes) as unknown, frames);
});

test('what is no frame is refused', t => {
  t.throws(() => plain([Buffer.from('HTTP/1.1 400 Bad Request\r\n')]), {message: /is no frame/});
});
