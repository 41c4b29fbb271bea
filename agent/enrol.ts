import {createHash} from 'node:crypto';
import {dirname, join} from 'node:path';
import type {EvidenceJson} from '@muster/proto/gen/muster/v1/agents_pb.ts';
import {createAgentService, type Enrolment, type Reason, RefusedError} from './agent-service.ts';
import {type BootFile, parseBootFile} from './boot-file.ts';
import {readFile, writeFile} from './files.ts';
import {request} from './http.ts';
import type {Identity} from './identity.ts';
import {describeError, type Log} from './log.ts';
import {backoffMs, pause} from './waits.ts';

const retryFirstMs = 1000;
const retryLongestMs = 30_000;
/** An operator has said no: ask now and then whether that still holds. */
const rejectedRetryMs = 300_000;
const tokenTimeoutMs = 15_000;
const tokenBytesMax = 64 * 1024;

export type Enrolled = Enrolment & {
  /** The boot.json whose token was accepted. */
  readonly boot: BootFile;
};

type EnrolOptions = {
  readonly boot: BootFile;
  /** Fetch a new token before the first attempt: the one at hand belongs to another key. */
  readonly tokenIsSpent: boolean;
  readonly identity: Identity;
  readonly evidence: EvidenceJson;
  readonly imageInputKey: string;
  readonly bootId: string;
  readonly agentVersion: string;
  /** The machine's clock; absent: the host's. */
  readonly now?: () => Date;
  /** The source address; absent: as the kernel chooses. */
  readonly localAddress?: string | undefined;
  readonly log: Log;
};

/** Tries until the server accepts. Undefined only when the signal aborts. */
export async function enrol(
  options: EnrolOptions,
  signal: AbortSignal,
): Promise<Enrolled | undefined> {
  const {log} = options;
  let {boot, tokenIsSpent} = options;
  for (let attempt = 0; !signal.aborted; attempt++) {
    try {
      if (tokenIsSpent && boot.tokenUrl !== undefined) {
        boot = await fetchBootFile(boot, options.localAddress, signal);
        tokenIsSpent = false;
      }
      return {...(await enrolOnce(options, boot, signal)), boot};
    } catch (error) {
      if (signal.aborted) break;
      const reason = error instanceof RefusedError ? error.reason : undefined;
      const next = reactTo(reason, attempt, boot.tokenUrl !== undefined);
      tokenIsSpent ||= next.fetchToken;
      log.warn(
        {reason, retryInMs: next.delayMs},
        `not enrolled yet: ${describeError(error)}; trying again`,
      );
      await pause(next.delayMs, signal);
    }
  }
  return undefined;
}

/** What to do after a refusal (its reason) or a failure (undefined). */
export function reactTo(
  reason: Reason | undefined,
  attempt: number,
  canFetchToken: boolean,
  random: number = Math.random(),
): {readonly fetchToken: boolean; readonly delayMs: number} {
  const limits = {firstMs: retryFirstMs, longestMs: retryLongestMs};
  const delayMs = backoffMs(attempt, limits, random);
  switch (reason) {
    case 'REASON_TOKEN_EXPIRED':
      // The usual case after a long wait: the first time without a pause.
      return {fetchToken: canFetchToken, delayMs: attempt === 0 && canFetchToken ? 0 : delayMs};
    case 'REASON_TOKEN_INVALID':
    case 'REASON_TOKEN_REUSED':
      return {fetchToken: canFetchToken, delayMs};
    case 'REASON_REJECTED':
      return {fetchToken: false, delayMs: Math.round(rejectedRetryMs * (0.5 + random / 2))};
    default:
      return {fetchToken: false, delayMs};
  }
}

async function enrolOnce(
  {
    identity,
    evidence,
    imageInputKey,
    bootId,
    agentVersion,
    now = () => new Date(),
    localAddress,
  }: EnrolOptions,
  boot: BootFile,
  signal: AbortSignal,
): Promise<Enrolment> {
  const service = createAgentService({...boot, localAddress, signal});
  return service.enroll({
    bootToken: boot.token,
    publicKey: identity.publicKey,
    evidence,
    imageInputKey,
    bootId,
    agentVersion,
    machineTime: now().toISOString(),
  });
}

async function fetchBootFile(
  boot: BootFile,
  localAddress: string | undefined,
  signal: AbortSignal,
): Promise<BootFile> {
  if (boot.tokenUrl === undefined)
    throw new Error('Cannot fetch a token: no token_url in boot.json');
  const answer = await request({
    url: boot.tokenUrl,
    siteCa: boot.siteCa,
    timeoutMs: tokenTimeoutMs,
    bodyBytesMax: tokenBytesMax,
    localAddress,
    signal,
  });
  if (answer.status !== 200)
    throw new Error(`Cannot fetch a token from "${boot.tokenUrl}": HTTP status ${answer.status}`);
  return parseBootFile(answer.body);
}

/**
 * Whether an earlier run of the agent in this boot used boot.json's token. A token belongs to the first key that presents it, keys are not
 * kept, and presenting it again with a new one would look like a theft (DESIGN §4).
 */
export async function isTokenSpent(bootFile: string, boot: BootFile): Promise<boolean> {
  const mark = await readFile(spentMark(bootFile), 'utf8').catch(() => '');
  return mark.trim() === digest(boot.token);
}

export async function markTokenSpent(bootFile: string, boot: BootFile, log: Log): Promise<void> {
  try {
    await writeFile(spentMark(bootFile), `${digest(boot.token)}\n`, {mode: 0o600});
  } catch (error) {
    log.warn({err: error}, 'cannot note that the boot token is used');
  }
}

const spentMark = (bootFile: string): string => join(dirname(bootFile), 'token-spent');

const digest = (token: string): string => createHash('sha256').update(token).digest('hex');
