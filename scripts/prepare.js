// Makes a fresh checkout ready: `node scripts/prepare.js up|lab|test|check`, run by the npm scripts before node_modules may exist.
// Plain JavaScript for Node 20 without dependencies. Idempotent, and quick when nothing is missing.
import {spawnSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {delimiter, dirname, isAbsolute, join} from 'node:path';
import process from 'node:process';
import {fileURLToPath} from 'node:url';
import {packages, toolsFolder} from './packages.js';

const nodeMajorMin = 20;
const outputMaxBytes = 16 * 1024 * 1024;
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const isRoot = process.getuid?.() === 0;

try {
  const purpose = process.argv[2] ?? '';
  const wanted = packages[purpose];
  if (!wanted)
    throw new Error(`Cannot prepare "${purpose}": say ${Object.keys(packages).join(', ')}`);

  checkNode();
  installPackages(purpose, wanted.filter(isMissing));
  installModules();
} catch (error) {
  console.error(`\n${error.message}`);
  process.exitCode = 1;
}

function checkNode() {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < nodeMajorMin)
    throw new Error(
      `Cannot run with Node ${process.versions.node}: install Node ${nodeMajorMin} or newer (the checkout brings its own Node 26 then)`,
    );
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new Error(
      `Cannot run on ${process.platform} ${process.arch}: Muster's own processes need Linux on x86-64; use the muster command against a server there`,
    );
}

/** Debian packages, or on other systems the list of what to install. */
function installPackages(purpose, missing) {
  if (missing.length === 0) return;

  const list = missing.map(item => `  ${item.package.padEnd(18)} ${item.why}`).join('\n');
  if (!isDebian12())
    throw new Error(
      `This system is not Debian 12, so install what provides these, then run "npm run ${purpose}" again:\n${missing
        .map(item => `  ${item.provides.padEnd(44)} (Debian: ${item.package}) ${item.why}`)
        .join('\n')}`,
    );
  console.log(`Installing Debian packages that are missing (this takes a minute or two):\n${list}`);
  if (!isRoot) {
    if (isMissing({provides: 'sudo'}))
      throw new Error(
        `Installing them needs root and there is no sudo here. Run as root: node scripts/prepare.js ${purpose}`,
      );
    console.log('Installing packages needs root: sudo may ask for your password.');
  }

  runAsRoot(['apt-get', '-qq', 'update']);
  const installed = missing.filter(item => !item.unpack).map(item => item.package);
  // --no-install-recommends: recommendations bring daemons with them.
  const options = ['-qq', '-y', '--no-install-recommends', '-o', 'Dpkg::Use-Pty=0', 'install'];
  if (installed.length > 0) runAsRoot(['apt-get', ...options, ...installed]);
  for (const item of missing) if (item.unpack) unpack(item);

  const still = missing.filter(isMissing).map(item => item.provides);
  if (still.length > 0)
    throw new Error(`Installed the packages, but these are still missing: ${still.join(', ')}`);
}

/** Takes files out of a package without installing it: its installation would start a daemon. */
function unpack({package: name, unpack: files}) {
  const folder = mkdtempSync(join(tmpdir(), 'muster-unpack-'));
  try {
    chmodSync(folder, 0o755);
    run(['apt-get', '-qq', '-o', 'APT::Sandbox::User=root', 'download', name], {cwd: folder});
    const archive = readdirSync(folder).find(file => file.endsWith('.deb'));
    if (!archive) throw new Error(`Cannot unpack "${name}": apt-get downloaded nothing`);
    run(['dpkg-deb', '-x', archive, 'content'], {cwd: folder});

    for (const [from, to] of Object.entries(files)) {
      const source = join(folder, 'content', from);
      if (!existsSync(source)) continue;
      const target = join(toolsFolder, to);
      runAsRoot(['mkdir', '-p', dirname(target)]);
      runAsRoot(['cp', '-r', '-T', '--no-preserve=ownership', source, target]);
    }
  } finally {
    rmSync(folder, {recursive: true, force: true});
  }
}

/**
 * Brings node_modules to package-lock.json. Not by `npm ci`: that refuses a lock file which lacks the binaries of other platforms, and
 * npm leaves those out that its registry does not have. `--no-save` keeps to the locked versions and digests and writes no lock file.
 */
function installModules() {
  const lock = join(root, 'package-lock.json');
  const stamp = join(root, 'node_modules', '.muster-lock-sha256');
  const digest = createHash('sha256').update(readFileSync(lock)).digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return;

  if (!isInstalledByHand(lock)) {
    console.log('Installing the npm packages of package-lock.json');
    run(['npm', 'install', '--no-save', '--no-fund', '--no-audit', '--loglevel=error'], {
      cwd: root,
    });
  }
  writeFileSync(stamp, digest);
}

/** npm writes its own list into node_modules after each installation: newer than the lock file means that it fits. */
function isInstalledByHand(lock) {
  const own = join(root, 'node_modules', '.package-lock.json');
  const node = join(root, 'node_modules', '.bin', 'node');
  return existsSync(own) && existsSync(node) && statSync(own).mtimeMs >= statSync(lock).mtimeMs;
}

function isDebian12() {
  const file = '/etc/os-release';
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  return /^ID=debian$/m.test(text) && /^VERSION_ID="?12"?$/m.test(text);
}

function isMissing({provides}) {
  if (isAbsolute(provides)) return !existsSync(provides);
  const folders = /\.so(\.|$)/.test(provides)
    ? ['/usr/lib/x86_64-linux-gnu', '/lib/x86_64-linux-gnu', '/usr/lib64', '/lib64', '/usr/lib']
    : [...(process.env.PATH ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin'];
  return !folders.some(folder => existsSync(join(folder, provides)));
}

function runAsRoot(command) {
  const quiet = ['env', 'DEBIAN_FRONTEND=noninteractive', 'LC_ALL=C.UTF-8'];
  run([...(isRoot ? [] : ['sudo']), ...quiet, ...command]);
}

function run([program, ...args], options = {}) {
  // Standard output is progress that only matters when it fails.
  const {status, error, stdout} = spawnSync(program, args, {
    stdio: ['inherit', 'pipe', 'inherit'],
    encoding: 'utf8',
    maxBuffer: outputMaxBytes,
    ...options,
  });
  if (status === 0) return;
  console.error(stdout);
  throw new Error(
    `"${[program, ...args].join(' ')}" failed${error ? `: ${error.message}` : ` with status ${status}`}; its output above says why`,
  );
}
