import {createLogStore} from './log-chunks.ts';

/** Beyond this the oldest lines go: a failure is told at the end. */
export const logBytesMax = 4 * 1024 * 1024;

export const buildLogs = createLogStore({
  chunks: 'build_log_chunks',
  owner: 'build_id',
  owners: 'builds',
  bytesMax: logBytesMax,
});
