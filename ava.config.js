// One process per file: files start servers, drop privileges and change directories.
export default {
  files: ['**/*.test.ts', '!test/vm/**', '!**/dist/**'],
  extensions: ['ts'],
  workerThreads: false,
  require: ['./test/helpers/exit.ts'],
  timeout: '180s',
};
