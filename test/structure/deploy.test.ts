import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { configSchema } from '../../router/config/index.ts';

const read = (name: string) =>
  readFileSync(fileURLToPath(new URL(`../../deploy/${name}`, import.meta.url)), 'utf8');

/** The documents of a YAML file; a fault in one is thrown. */
function documents(name: string): unknown[] {
  return parseAllDocuments(read(name)).map((document) => {
    expect(document.errors).toEqual([]);
    return document.toJS();
  });
}

test('the configuration that is deployed is one', () => {
  expect(configSchema.safeParse(documents('plimsoll.config.yaml')[0]).error).toBeUndefined();
});

test('manifests and compose file are YAML, and probe routes that there are', () => {
  expect(documents('kubernetes.yaml').map((one) => (one as { kind: string }).kind)).toEqual([
    'Deployment',
    'Service',
    'PodDisruptionBudget',
    'HorizontalPodAutoscaler',
  ]);
  expect(Object.keys((documents('compose.yaml')[0] as { services: object }).services)).toEqual([
    'plimsoll',
    'postgres',
    'valkey',
  ]);
});
