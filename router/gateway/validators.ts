import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { ReplyContent } from '../dialects/index.ts';
import { fieldIn } from '../json/index.ts';

/** The operator's own check of a cheap reply: a program or an HTTP address. */
export interface ValidatorOptions {
  readonly command?: readonly string[] | undefined;
  readonly url?: string | undefined;
  readonly timeoutMs: number;
}

/** What validators get, as JSON. */
export interface ValidatorInput extends Pick<ReplyContent, 'text' | 'calls'> {
  /** The text that was scored. */
  readonly prompt: string | undefined;
  /** `<provider>/<model>`. */
  readonly model: string;
}

/**
 * For a validator that gave no verdict, for the reason `why`: `timeout`, it was still at work when its time was over and was stopped; `crashed`, it ended by
 * itself or by somebody else, otherwise than a validator does; `failed`, it could not be started or reached, or its response says neither. No reply
 * goes out then.
 */
export interface FailedValidation {
  readonly kind: 'timeout' | 'crashed' | 'failed';
  readonly validator: string;
  readonly why: string;
}

export type Validation = { readonly kind: 'passed' | 'rejected' } | FailedValidation;

const PASSED: Validation = { kind: 'passed' };
const REJECTED: Validation = { kind: 'rejected' };

/**
 * Asks all validators at once. A reply passes if every one of them passes it.
 * @param leftMs none of them may take longer
 */
export async function validate(
  validators: readonly ValidatorOptions[],
  input: ValidatorInput,
  leftMs: number,
): Promise<Validation> {
  const json = JSON.stringify(input);
  const all = await Promise.all(
    validators.map(({ command, url, timeoutMs }) => {
      const limit: Limit =
        leftMs < timeoutMs
          ? { ms: Math.max(1, Math.ceil(leftMs)), field: 'cascade.max_wait_ms' } // timers take whole ms
          : { ms: timeoutMs, field: 'timeout_ms' };
      return url === undefined ? byProgram(command!, json, limit) : byHttp(url, json, limit);
    }),
  );
  return all.find(isFailed) ?? all.find(({ kind }) => kind === 'rejected') ?? PASSED;
}

export function isFailed(validation: Validation): validation is FailedValidation {
  return validation.kind !== 'passed' && validation.kind !== 'rejected';
}

/** How long a validator has, and the field of the configuration that says so. */
interface Limit {
  readonly ms: number;
  readonly field: string;
}

const tooLate = ({ field }: Limit) => `it had not ended after ${field}, and was stopped`;

/** Exit codes: 0 passes, 1 rejects. What it prints is not read, and it gets no variable of the environment but PATH: keys are there. */
async function byProgram(
  [program, ...args]: readonly string[],
  json: string,
  limit: Limit,
): Promise<Validation> {
  const failed = (kind: FailedValidation['kind'], why: string) => ({ kind, validator: program!, why });
  let timer: NodeJS.Timeout | undefined;
  try {
    const child = spawn(program!, args, {
      stdio: ['pipe', 'ignore', 'ignore'],
      env: { PATH: process.env['PATH'] },
      detached: HAS_GROUPS,
    });
    let isStopped = false;
    timer = setTimeout(() => {
      isStopped = true;
      stop(child);
    }, limit.ms);
    child.stdin.on('error', () => {}); // it may end without reading
    child.stdin.end(json);
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    if (code === 0) return PASSED;
    if (code === 1) return REJECTED;
    if (isStopped && code === null) return failed('timeout', tooLate(limit));
    return failed('crashed', code === null ? `it was killed by ${signal}` : `it ended with code ${code}`);
  } catch {
    return failed('failed', 'it cannot be started');
  } finally {
    clearTimeout(timer);
  }
}

/** A group of its own, so that what a validator has started ends with it. Windows has none. */
const HAS_GROUPS = process.platform !== 'win32';

function stop(child: ChildProcess): void {
  try {
    if (HAS_GROUPS && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    else child.kill('SIGKILL');
  } catch {} // it has ended meanwhile
}

const REJECTS = 422;

/** 2xx passes, 422 rejects. The body of the response is not read, and no redirection is followed. */
async function byHttp(url: string, json: string, limit: Limit): Promise<Validation> {
  const failed = (kind: FailedValidation['kind'], why: string) => ({
    kind,
    validator: new URL(url).host,
    why,
  });
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: json,
      redirect: 'manual',
      signal: AbortSignal.timeout(limit.ms),
    });
    response.body?.cancel().catch(() => {}); // its status is all that counts
    if (response.ok) return PASSED;
    if (response.status === REJECTS) return REJECTED;
    const redirects = response.headers.has('location') ? ', and redirections are not followed' : '';
    return failed('failed', `it responded with ${response.status}${redirects}`);
  } catch (error) {
    if (error instanceof Error && error.name === 'TimeoutError') return failed('timeout', tooLate(limit));
    const code = fieldIn((error as Error | undefined)?.cause, 'code');
    return failed('failed', `it cannot be reached${typeof code === 'string' ? ` (${code})` : ''}`);
  }
}
