import { type Attributes, createNoopMeter, type Meter } from '@opentelemetry/api';
import { expect, test } from 'vitest';
import { createGenAiMetrics } from '../../router/telemetry/open-telemetry.ts';
import { facts, refusedFacts, withPlanted } from '../records/facts.ts';

/** A meter that keeps what its histograms are told. */
function memoryMeter() {
  const told: {
    name: string;
    unit: string | undefined;
    value: number;
    attributes: Attributes | undefined;
  }[] = [];
  const meter: Meter = Object.assign(Object.create(createNoopMeter()), {
    createHistogram: ((name, options) => ({
      record: (value, attributes) => told.push({ name, unit: options?.unit, value, attributes }),
    })) as Meter['createHistogram'],
  });
  return { meter, told };
}

const of = {
  'gen_ai.operation.name': 'chat',
  'gen_ai.provider.name': 'gcp.gemini',
  'gen_ai.request.model': 'huge',
  'gen_ai.response.model': 'huge',
};

test('duration in seconds and tokens by kind, by the conventions', () => {
  const { meter, told } = memoryMeter();
  createGenAiMetrics(meter)(facts());
  expect(told).toEqual([
    { name: 'gen_ai.client.operation.duration', unit: 's', value: 0.901, attributes: of },
    {
      name: 'gen_ai.client.token.usage',
      unit: '{token}',
      value: 1_000,
      attributes: { ...of, 'gen_ai.token.type': 'input' },
    },
    {
      name: 'gen_ai.client.token.usage',
      unit: '{token}',
      value: 500,
      attributes: { ...of, 'gen_ai.token.type': 'output' },
    },
  ]);
});

test('errors have a type; what is not known is not recorded; nothing planted gets in', () => {
  const { meter, told } = memoryMeter();
  const record = createGenAiMetrics(meter);
  record(refusedFacts());
  expect(told).toEqual([]);
  record(facts({ usage: undefined, ended: 'broken' }));
  expect(told).toMatchObject([{ attributes: { 'error.type': 'broken' } }]);
  record(withPlanted('sk-planted-0123456789'));
  expect(JSON.stringify(told)).not.toContain('planted');
});
