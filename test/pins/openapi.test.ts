import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { scratchFolder } from '../cli/run-cli.ts';
import { expectPinned, pinnedJson } from './pinned.ts';
import { serve, stopServers } from './plimsoll.ts';

afterAll(stopServers);

const PROVIDERS = { providers: { local: { kind: 'openai-compatible', base_url: 'http://127.0.0.1:9/v1' } } };
const LADDER = {
  ladder: { cheap: 'local/small', strong: 'local/large' },
  models: { 'local/small': {}, 'local/large': {} },
};

test.each<[string, object]>([
  ['openapi-deciding.json', {}],
  ['openapi-gateway.json', { ...PROVIDERS, ...LADDER }],
])('%s is what the server serves', async (name, config) => {
  const folder = scratchFolder();
  writeFileSync(path.join(folder, 'config.yaml'), JSON.stringify(config)); // JSON is YAML
  const url = await serve(['--config', 'config.yaml'], folder);
  const response = await fetch(`${url}/openapi.json`);
  const document = (await response.json()) as { readonly info: { readonly version: string } };
  expect(document.info.version).toMatch(/^\d+\.\d+\.\d+/);
  expectPinned(name, pinnedJson({ ...document, info: { ...document.info, version: '<version>' } }));
});
