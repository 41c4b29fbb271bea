// Whole machines under TCG: one after another, and patient (lab timings times four).
export default {
  files: ['test/vm/**/*.test.ts'],
  extensions: ['ts'],
  workerThreads: false,
  require: ['./test/helpers/exit.ts'],
  serial: true,
  concurrency: 1,
  timeout: '40m',
};
