// One process per file: files start servers, drop privileges and change directories.
export default {
  files: ['**/*.test.ts', 'console/**/*.test.tsx', '!test/vm/**', '!**/dist/**'],
  extensions: ['ts', 'tsx'],
  workerThreads: false,
  require: ['./test/helpers/exit.ts', './test/helpers/tsx.ts'],
  timeout: '180s',
};
