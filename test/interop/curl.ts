import {execFile} from 'node:child_process';
import {promisify} from 'node:util';

const execute = promisify(execFile);
const timeLimitMs = 60_000;

export type Fields = Readonly<Record<string, unknown>>;

export type CurlAnswer = {
  readonly status: number;
  readonly text: string;
  /** The body as a JSON object; as an array of them; as an error. */
  fields(): Fields;
  rows(): readonly Fields[];
  refusal(): {readonly code: string; readonly message: string};
};

/**
 * Runs a command line of real curl in a shell, as it is. Its status comes by curl's own `.curlrc`, in `folder`, so that the command's text need
 * not be touched: see `curlrc`.
 */
export async function runCurl(command: string, folder: string): Promise<CurlAnswer> {
  const {stdout} = await execute('sh', ['-c', command], {
    env: {PATH: process.env.PATH, CURL_HOME: folder},
    timeout: timeLimitMs,
  });
  const cut = stdout.lastIndexOf('\n');
  const text = stdout.slice(0, cut);
  return {
    status: Number(stdout.slice(cut + 1)),
    text,
    fields: () => JSON.parse(text) as Fields,
    rows: () => JSON.parse(text) as readonly Fields[],
    refusal: () => (JSON.parse(text) as {error: {code: string; message: string}}).error,
  };
}

/** Content of `.curlrc`: no progress, and the status on a line of its own after the body. */
export const curlrc = 'silent\nshow-error\nwrite-out = "\\n%{http_code}"\n';
