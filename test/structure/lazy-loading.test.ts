import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const STATIC_IMPORT = /^(?:import|export) (?!type )[^;'"]*?from '([^']+)'|^import '([^']+)'/gm;

/** The files and packages that load with a file, without what it imports later. */
function loadedWith(file: string, loaded = new Set<string>()): Set<string> {
  loaded.add(file);
  if (!file.endsWith('.ts')) return loaded;
  for (const [, from, bare] of readFileSync(path.join(ROOT, file), 'utf8').matchAll(STATIC_IMPORT)) {
    const source = from ?? bare ?? '';
    const target = source.startsWith('.') ? path.join(path.dirname(file), source) : source;
    if (!loaded.has(target)) loadedWith(target, loaded);
  }
  return loaded;
}

const GATEWAY = [
  'router/gateway/open-gateway.ts',
  'router/fallback/index.ts',
  'router/providers/index.ts',
  'undici',
  '@opentelemetry/api',
  'ai',
];

test('the package loads neither the server nor the gateway until they are used', () => {
  const loaded = loadedWith('router/index.ts');
  expect(loaded).toContain('router/create-router.ts');
  for (const late of ['express', 'pino', 'prom-client', 'router/server/index.ts', ...GATEWAY]) {
    expect(loaded).not.toContain(late);
  }
});

test('a server that only decides does not load the gateway', () => {
  const loaded = loadedWith('scripts/commands/serve.ts');
  expect(loaded).toContain('router/server/index.ts');
  for (const late of GATEWAY) expect(loaded).not.toContain(late);
});
