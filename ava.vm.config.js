// Whole machines under TCG: one after another, and patient (lab timings times four).
export default {
  files: ['test/vm/**/*.test.ts'],
  extensions: ['ts'],
  workerThreads: false,
  serial: true,
  concurrency: 1,
  timeout: '40m',
};
