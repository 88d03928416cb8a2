import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { ReplyContent } from '../dialects/index.ts';

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

/** `failed`: it did not say, for the reason `why`. No reply goes out then. */
export type Validation =
  | { readonly kind: 'passed' | 'rejected' }
  | { readonly kind: 'failed'; readonly validator: string; readonly why: string };

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
      const within = Math.max(1, Math.ceil(Math.min(timeoutMs, leftMs))); // timers take whole ms
      return url === undefined ? byProgram(command!, json, within) : byHttp(url, json, within);
    }),
  );
  return all.find(({ kind }) => kind === 'failed') ?? all.find(({ kind }) => kind === 'rejected') ?? PASSED;
}

/** Exit codes: 0 passes, 1 rejects. What it prints is not read, and it gets no variable of the environment but PATH: keys are there. */
async function byProgram(
  [program, ...args]: readonly string[],
  json: string,
  timeoutMs: number,
): Promise<Validation> {
  const failed = (why: string): Validation => ({ kind: 'failed', validator: program!, why });
  try {
    const child = spawn(program!, args, {
      stdio: ['pipe', 'ignore', 'ignore'],
      env: { PATH: process.env['PATH'] },
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
    });
    child.stdin.on('error', () => {}); // it may end without reading
    child.stdin.end(json);
    const [code] = (await once(child, 'close')) as [number | null];
    if (code === 0) return PASSED;
    if (code === 1) return REJECTED;
    return failed(
      code === null ? 'it was killed, or took longer than timeout_ms' : `it ended with code ${code}`,
    );
  } catch {
    return failed('it cannot be started');
  }
}

const REJECTS = 422;

/** 2xx passes, 422 rejects. The body of the response is not read, and no redirection is followed. */
async function byHttp(url: string, json: string, timeoutMs: number): Promise<Validation> {
  const failed = (why: string): Validation => ({ kind: 'failed', validator: new URL(url).host, why });
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: json,
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
    });
    await response.body?.cancel();
    if (response.ok) return PASSED;
    return response.status === REJECTS ? REJECTED : failed(`it responded with ${response.status}`);
  } catch (error) {
    const late = error instanceof Error && error.name === 'TimeoutError';
    return failed(late ? 'it took longer than timeout_ms' : 'it cannot be reached');
  }
}
