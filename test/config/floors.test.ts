import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { loadConfig } from '../../router/config/index.ts';
import { scratchFolder } from '../artifact/draft.ts';

function load(yaml: string) {
  const file = path.join(scratchFolder(), 'config.yaml');
  writeFileSync(file, yaml);
  return loadConfig(file, {}).gate;
}

test('without floors any PASS counts; those that are there come through', () => {
  expect(load('{}')).toEqual({});
  const yaml = `gate:
  min_confidence: 0.95
  max_quality_loss: 0.03
  max_valid_for_days: 30
  suites: [03cb9f8cab98, ${'a'.repeat(64)}]
  public_key: gate.pub.pem
`;
  expect(load(yaml)).toEqual({
    minConfidence: 0.95,
    maxQualityLoss: 0.03,
    maxValidForDays: 30,
    suites: ['03cb9f8cab98', 'a'.repeat(64)],
    publicKey: 'gate.pub.pem',
  });
});

test.each([
  ['min_confidence: 0.4', 'min_confidence'],
  ['min_confidence: 1', 'min_confidence'], // no number of cases gives it
  ['min_confidence: .nan', 'min_confidence'],
  ['max_quality_loss: 0', 'max_quality_loss'],
  ['max_quality_loss: 3', 'max_quality_loss'],
  ['max_valid_for_days: 0', 'max_valid_for_days'],
  ['max_valid_for_days: 1.5', 'max_valid_for_days'],
  ['max_valid_for_days: 36501', 'max_valid_for_days'],
  ['suites: []', 'suites'],
  ['suites: [03cb9f8cab9]', 'suites.0'],
  ['suites: [starter]', 'suites.0'],
  ['public_key: ""', 'public_key'],
  ['min_confidense: 0.9', 'min_confidense'],
])('%s is refused, by its field', (yaml, field) => {
  const place = `field "gate.${field}"`;
  expect(() => load(`gate: { ${yaml} }`)).toThrow(
    expect.objectContaining({ code: 'invalid-config', message: expect.stringContaining(place) }),
  );
});
