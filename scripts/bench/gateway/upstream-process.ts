import { fileURLToPath } from 'node:url';
import { request } from 'undici';
import type { Fault } from '../../fake-provider/index.ts';
import { freePort, type StartedProcess, startProcess } from './started-process.ts';

const SCRIPT = fileURLToPath(new URL('../../fake-provider.ts', import.meta.url));

export interface UpstreamShape {
  /** Length of an answer; a stream has four events more. */
  readonly words: number;
  /** Between two events of a stream. */
  readonly chunkMs: number;
}

/** About 470 bytes, or 20 events. */
export const CONSTANT: UpstreamShape = { words: 16, chunkMs: 0 };

/** The test upstream in a process of its own. */
export interface UpstreamProcess extends StartedProcess {
  readonly port: number;
  /** With /v1 at its end. */
  readonly url: string;
  /** The next request fails so. */
  fail(fault: Fault): Promise<void>;
}

/** @param asked the port of one that is to be started again */
export async function startUpstreamProcess(
  { words, chunkMs }: UpstreamShape,
  asked?: number,
): Promise<UpstreamProcess> {
  const port = asked ?? (await freePort());
  const flags = ['--port', port, '--words', words, '--chunk-ms', chunkMs].map(String);
  const started = await startProcess('scripts/upstream.ts', ['--import', 'tsx', SCRIPT, ...flags], port);
  const origin = `http://127.0.0.1:${port}`;
  return {
    ...started,
    port,
    url: `${origin}/v1`,
    async fail(fault) {
      const headers = { 'content-type': 'application/json' };
      const body = JSON.stringify({ fault });
      const answer = await request(`${origin}/control/faults`, { method: 'POST', headers, body });
      await answer.body.dump();
    },
  };
}
