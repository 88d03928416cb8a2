import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { freePort, startProcess } from '../bench/processes.ts';
import { type FakeProvider, type Script, startFakeProvider } from '../fake-provider/index.ts';
import type { Ladder } from './ladders.ts';
import { type Recorder, startRecorder } from './recorder.ts';

const CLI = fileURLToPath(new URL('../cli.ts', import.meta.url));
const KEY_VARIABLE = 'PLIMSOLL_CLIENTS_KEY';
const KEY = 'key-of-the-fake-provider';

/** Fake provider, gateway and recorder for one cell. */
export interface Stack {
  readonly upstream: FakeProvider;
  readonly recorder: Recorder;
  close(): Promise<void>;
}

/** `plimsoll serve` with the starter on `ladder`, in front of the strict fake provider, which plays `script`. */
export async function startStack(ladder: Ladder, script: Script, folder: string): Promise<Stack> {
  const upstream = await startFakeProvider({ strict: true, apiKey: KEY, script });
  const port = await freePort();
  const config = path.join(folder, 'plimsoll.config.yaml');
  writeFileSync(config, stringify(configOf(ladder, upstream.url)));
  process.env[KEY_VARIABLE] = KEY;
  const args = ['--import', 'tsx', CLI, 'serve', '--config', config, '--port', String(port)];
  const gateway = await startProcess('plimsoll serve', args, port);
  const recorder = await startRecorder(port);
  return {
    upstream,
    recorder,
    async close() {
      await recorder.close();
      await gateway.close();
      await upstream.close();
    },
  };
}

function configOf({ cheap, strong }: Ladder, url: string): object {
  const provider = (kind: string) => ({ kind, base_url: url, api_key_env: KEY_VARIABLE });
  return {
    ladder: { cheap, strong },
    providers: {
      openai: provider('openai'),
      anthropic: provider('anthropic'),
      google: provider('google'),
    },
  };
}
