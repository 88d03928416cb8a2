import { Validator } from '@seriousme/openapi-schema-validator';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Answer, get, type Serving, serving } from '../server/serving.ts';

let server: Serving;
let answer: Answer;

beforeAll(async () => {
  server = await serving({ server: { maxMessages: 77 } });
  answer = await get(`${server.url}/openapi.json`);
});
afterAll(() => server.close());

test('is a valid OpenAPI 3.1 document', async () => {
  const result = await new Validator().validate(answer.body);
  expect(result.errors).toBeUndefined();
  expect(result.valid).toBe(true);
  expect(answer.body.openapi).toBe('3.1.0');
});

test('has every route that the index lists', async () => {
  const { body } = await get(server.url);
  for (const { method, path } of body.routes) {
    expect(answer.body.paths[path]).toHaveProperty(method.toLowerCase());
  }
});

test('is made of the schemas that check: limits and strictness are in it', () => {
  const { RouteRequest, BatchRequest } = answer.body.components.schemas;
  expect(RouteRequest.properties.messages.maxItems).toBe(77);
  expect(RouteRequest.additionalProperties).toBe(false);
  expect(RouteRequest.oneOf).toEqual([{ required: ['prompt'] }, { required: ['messages'] }]);
  expect(BatchRequest.properties.requests.items).toEqual({ $ref: '#/components/schemas/RouteRequest' });
});

test('every reference leads somewhere', () => {
  const names = [...JSON.stringify(answer.body).matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(
    (m) => m[1]!,
  );
  expect(names.length).toBeGreaterThan(0);
  for (const name of names) expect(answer.body.components.schemas).toHaveProperty(name);
});
