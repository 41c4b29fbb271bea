// Mends postgres.js 3.4.9 in node_modules; run by npm after each installation. Plain JavaScript for Node 20. Idempotent.
//
// A transaction stays with its connection after that is lost. Its next query, or the library's own "rollback", then either ends the process
// (`socket` is null inside of setImmediate, which nothing can catch: the library's issues 1066, 1154 and 1208) or runs outside of any transaction once
// the connection has been made anew for somebody else. Both were seen when PostgreSQL was killed under load. Remove this when a release mends them.
import {readFileSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';

const folder = join(dirname(dirname(fileURLToPath(import.meta.url))), 'node_modules', 'postgres');
const version = '3.4.9';

/** Each `from` occurs once. */
const mends = [
  {
    file: 'src/connection.js',
    why: 'a write after the end fails its query instead of the process',
    from: `  function nextWrite(fn) {
`,
    to: `  function nextWrite(fn) {
    if (socket === null) {
      clearImmediate(nextWriteTimer)
      chunk = nextWriteTimer = null
      error(Errors.connection('CONNECTION_CLOSED', options))
      return false
    }
`,
  },
  {
    file: 'src/connection.js',
    why: 'what was not written yet is never written to the next server, and the next start is not held back by it',
    from: `    clearImmediate(nextWriteTimer)
    socket.removeListener('data', data)
`,
    to: `    clearImmediate(nextWriteTimer)
    chunk = nextWriteTimer = null
    socket.removeListener('data', data)
`,
  },
  {
    file: 'src/connection.js',
    why: 'a query that came between the error and the end is failed, too',
    from: `    !hadError && (query || sent.length) && error(`,
    to: `    ;(query || sent.length) && error(`,
  },
  {
    file: 'src/index.js',
    why: 'a transaction ends with its connection',
    from: `    let savepoints = 0
      , connection
      , prepare = null
`,
    to: `    let savepoints = 0
      , connection
      , lost = null
      , prepare = null
`,
  },
  {
    file: 'src/index.js',
    why: 'and so do the queries that wait in it',
    from: `        new Promise((_, reject) => connection.onclose = reject)
`,
    to: `        new Promise((_, reject) => connection.onclose = error => {
          lost = error
          while (queries.length)
            queries.shift().reject(error)
          reject(error)
        })
`,
  },
  {
    file: 'src/index.js',
    why: 'a later query of it is refused',
    from: `        q.catch(e => uncaughtError || (uncaughtError = e))
        c.queue === full
`,
    to: `        q.catch(e => uncaughtError || (uncaughtError = e))
        if (lost)
          return q.reject(lost)
        c.queue === full
`,
  },
  {
    file: 'src/connection.js',
    why: 'a COPY that fails after its last row ends, too: its stream waited for ever',
    from: `    stream && (stream.destroy(err), stream = null)
`,
    to: `    stream && (stream.destroy(err), stream = null)
    final && (final(err), final = null)
`,
  },
  {
    file: 'src/connection.js',
    why: 'a COPY over TCP waits 40 ms for an acknowledgement otherwise (Nagle)',
    from: `      socket.on('data', data)
`,
    to: `      socket.on('data', data)
      socket.setNoDelay && socket.setNoDelay(true)
`,
  },
];

const installed = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).version;
if (installed !== version)
  throw new Error(
    `Cannot mend postgres.js ${installed}: scripts/patch-postgres.js is for ${version}; see whether the release needs it still`,
  );

for (const {file, why, from, to} of mends) {
  const path = join(folder, file);
  const text = readFileSync(path, 'utf8');
  if (text.includes(to)) continue;
  if (text.split(from).length !== 2)
    throw new Error(`Cannot mend postgres.js (${why}): ${file} does not read as expected`);
  writeFileSync(
    path,
    text.replace(from, () => to),
  );
}
