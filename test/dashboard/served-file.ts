import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { createKey } from '../../router/access/index.ts';
import { loadConfig } from '../../router/config/index.ts';
import { serve } from '../../router/serve.ts';
import type { Served } from '../../router/serving.ts';
import { tinyArtifact } from '../helpers/tiny-artifact.ts';
import { formToken, scratch, sendForm, signedIn, visit } from './dashboard-client.ts';

export interface ServedFile extends Served {
  readonly file: string;
  readonly keys: Readonly<Record<'view' | 'operate' | 'admin', string>>;
  read(): string;
  write(text: string): void;
  /** The page Configuration, or a step below it. */
  shown(role?: 'view' | 'operate' | 'admin', below?: string): Promise<string>;
  /** Sends a form, and reads what the next page says. */
  changed(place: string, fields: Record<string, string>, role?: 'operate' | 'admin'): Promise<string>;
}

/** What the file begins with: a real server with keys and SQLite, which looks at nothing by itself. */
async function beginning(keysFile: string, database: string): Promise<string> {
  const { folder } = await tinyArtifact();
  return `# what serves
artifact: ${folder}
reload_interval_ms: 0
log_level: silent
server: { port: 0, drain_timeout_ms: 500 }
access: { keys_file: ${keysFile} }
state: { kind: sqlite, url: ${database} }
`;
}

/** \`serve\` as the command calls it, on a real file. @param rest of the file */
export async function servedFile(
  rest: string,
  env: Readonly<Record<string, string>> = {},
  overrides: Parameters<typeof loadConfig>[2] = {},
): Promise<ServedFile> {
  const folder = scratch();
  const file = path.join(folder, 'plimsoll.config.yaml');
  const keysFile = path.join(folder, 'keys.json');
  const keyFor = (role: 'view' | 'operate' | 'admin') =>
    createKey(keysFile, { name: role, role, now: new Date() }).key;
  const keys = { view: keyFor('view'), operate: keyFor('operate'), admin: keyFor('admin') };
  const write = (text: string) => writeFileSync(file, text);
  write(`${await beginning(keysFile, path.join(folder, 'state.db'))}${rest}`);
  const readConfig = () => loadConfig(file, env, overrides);
  const served = await serve(readConfig(), { readConfig, configFile: file });
  onTestFinished(async () => void (await served.close()));
  const { url } = served;
  return {
    ...served,
    file,
    keys,
    write,
    read: () => readFileSync(file, 'utf8'),
    async shown(role = 'view', below = '') {
      const headers = await signedIn(url, keys[role]);
      return (await visit(`${url}/dashboard/configuration${below}`, { headers })).text();
    },
    async changed(place, fields, role = 'admin') {
      const headers = await signedIn(url, keys[role]);
      const form = await formToken(url, headers);
      const sent = await sendForm(url, `/dashboard/${place}`, { form, ...fields }, headers);
      if (sent.status !== 303) return `${sent.status} ${await sent.text()}`;
      return (await visit(new URL(sent.headers.get('location')!, url).href, { headers })).text();
    },
  };
}

/** A provider that nobody calls, and models of it. */
export const PROVIDER = `providers:
  first: { kind: openai-compatible, base_url: http://127.0.0.1:9/v1 }
models:
  first/small: { price: { input: 1, output: 2 } }
  first/large: { price: { input: 10, output: 20 } }
  first/other: { price: { input: 2, output: 4 } }
`;
