import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { loadCases } from '../../evals/cases/index.ts';
import { gateDecisions, runGate, suiteSchema } from '../../evals/gate/index.ts';
import type { Verdict } from '../../router/artifact/index.ts';
import {
  DECISIONS_VERDICT_SCHEMA_FILE,
  decisionsVerdictSchemaJson,
  SUITE_SCHEMA_FILE,
  suiteSchemaJson,
  VERDICT_SCHEMA_FILE,
  verdictSchemaJson,
} from '../../scripts/generate-schemas.ts';
import { tinyGating } from './tiny-gating.ts';

type Validate = (data: unknown) => boolean;
interface Ajv {
  compile(schema: unknown): Validate;
}
interface AjvModule {
  readonly default: new (options: object) => Ajv;
}

/** ajv, a validator of JSON Schema that is not zod, as the OpenAPI validator brings it. */
const fromValidator = createRequire(import.meta.resolve('@seriousme/openapi-schema-validator'));
const { default: Ajv2020 } = fromValidator('ajv/dist/2020.js') as AjvModule;
const addFormats = fromValidator('ajv-formats') as (ajv: Ajv) => void;

function validator(schema: string): Validate {
  const ajv = new Ajv2020({ strict: true, strictTypes: false });
  addFormats(ajv);
  return ajv.compile(JSON.parse(schema));
}

const isSuite = validator(suiteSchemaJson());
const isVerdict = validator(verdictSchemaJson());
const isDecisionsVerdict = validator(decisionsVerdictSchemaJson());

let verdict: Verdict;
beforeAll(async () => {
  const { artifact, suite, few } = await tinyGating();
  ({ verdict } = await runGate({ artifact, suite, data: [few] }));
});

test.each([
  ['suite', SUITE_SCHEMA_FILE, suiteSchemaJson()],
  ['verdict', VERDICT_SCHEMA_FILE, verdictSchemaJson()],
  ['decisions-verdict', DECISIONS_VERDICT_SCHEMA_FILE, decisionsVerdictSchemaJson()],
])('%s.schema.json is what the schema in the code generates', (_, file, generated) => {
  expect(readFileSync(file, 'utf8'), 'run `npx tsx scripts/generate-schemas.ts`').toBe(generated);
});

const LEAST = { name: 'Mine-1', max_quality_loss: 0.02 };
const FULL = {
  ...LEAST,
  description: 'All there is',
  cases: ['a.jsonl'],
  tier_cases: ['b.jsonl'],
  quality_field: 'score',
  confidence: 0.9,
  escalation_rate: { min: 0.1, max: 0.8 },
  beats_random: false,
  silent_downgrades: { margin: 0.2, max_rate: 0.1 },
  max_ece: 0.1,
  slices: [{ name: 'law', where: { task: ['law', 'tax'], multi_turn: true }, max_quality_loss: 0.1 }],
  hard_cases: { file: 'mine.jsonl', min_recall: 0.8, min_kept_cheap: 0.2 },
  flip_rate: { max: 0.1, edits: ['case'], paraphrases: 'pairs.jsonl' },
  valid_for_days: 30,
  schema_version: 2,
  looks: 4,
  sampling: 'groups',
  largest_group: 12,
};

test.each([
  ['the least', LEAST],
  ['all fields', FULL],
  ['starter.yaml', shippedSuite('starter.yaml')],
])('both schemas accept a suite: %s', (_, suite) => {
  expect(suiteSchema.safeParse(suite).error).toBeUndefined();
  expect(isSuite(suite)).toBe(true);
});

test.each([
  ['no name', { max_quality_loss: 0.02 }],
  ['no margin', { name: 'mine' }],
  ['a margin of 0', { ...LEAST, max_quality_loss: 0 }],
  ['certainty', { ...LEAST, confidence: 1 }],
  ['a slip in a limit', { ...LEAST, max_quality_los: 0.01 }],
  ['a slip in a nested limit', { ...LEAST, silent_downgrades: { max_rate: 0.1, margn: 0.2 } }],
  ['half a band', { ...LEAST, escalation_rate: { min: 0.1 } }],
  ['an unknown edit', { ...LEAST, flip_rate: { max: 0.1, edits: ['rot13'] } }],
  ['a slice of everything', { ...LEAST, slices: [{ name: 'all', where: {}, max_quality_loss: 0.1 }] }],
  ['another version', { ...LEAST, schema_version: 3 }],
  ['a seed, which could be tried until one passes', { ...LEAST, seed: 1 }],
  ['half a look', { ...LEAST, looks: 0.5 }],
  ['an empty group', { ...LEAST, largest_group: 0 }],
  ['half a day', { ...LEAST, valid_for_days: 0.5 }],
  ['a name with a space', { ...LEAST, name: 'my suite' }],
])('both schemas refuse a suite: %s', (_, suite) => {
  expect(suiteSchema.safeParse(suite).success).toBe(false);
  expect(isSuite(suite)).toBe(false);
});

test('the verdict schema accepts what the gate writes, and refuses what it never would', () => {
  const written = JSON.parse(JSON.stringify(verdict));
  expect(isVerdict(written)).toBe(true);
  expect(isVerdict({ ...written, verdict: 'MAYBE' })).toBe(false);
  expect(isVerdict({ ...written, conditions: [] })).toBe(false);
  expect(isVerdict({ ...written, evidence: {} })).toBe(false);
  expect(isVerdict({ ...written, issued: 'yesterday' })).toBe(false);
});

test('a verdict on decisions has a schema of its own, and neither accepts the other', async () => {
  const { suite, passing } = await tinyGating();
  const { cases } = await loadCases([passing]);
  const decisions = path.join(path.dirname(suite), 'chosen.jsonl');
  const rows = cases.map(({ text }) => ({ prompt: text, model: 'tiny-strong-1' }));
  writeFileSync(decisions, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const ladder = ['tiny-cheap-1', 'tiny-strong-1'];
  const run = await gateDecisions({ decisions, ladder, suite, data: [passing] });
  const written = JSON.parse(JSON.stringify(run.verdict));
  expect([isDecisionsVerdict(written), isVerdict(written)]).toEqual([true, false]);
  expect(isDecisionsVerdict(JSON.parse(JSON.stringify(verdict)))).toBe(false);
  expect(isDecisionsVerdict({ ...written, policy: verdict.policy })).toBe(false);
});

test('docs/GATE-ANY-ROUTER.md names every field of the decisions of a verdict', () => {
  const { decisions } = JSON.parse(decisionsVerdictSchemaJson()).properties;
  for (const field of fieldsOf(decisions))
    expect(documentText('GATE-ANY-ROUTER.md')).toContain(`\`${field}\``);
});

test('docs/CI.md names every field of a suite and of a verdict', () => {
  const document = documentText('CI.md');
  for (const field of fieldsOf(JSON.parse(suiteSchemaJson()))) expect(document).toContain(`\`${field}\``);
  const { evidence: _, ...fields } = JSON.parse(verdictSchemaJson()).properties;
  for (const field of fieldsOf({ properties: fields })) expect(document).toContain(`\`${field}\``);
});

function documentText(name: string): string {
  return readFileSync(fileURLToPath(new URL(`../../docs/${name}`, import.meta.url)), 'utf8');
}

function shippedSuite(name: string): unknown {
  return parse(readFileSync(fileURLToPath(new URL(`../../evals/suites/${name}`, import.meta.url)), 'utf8'));
}

interface Node {
  readonly properties?: Readonly<Record<string, Node>>;
  readonly items?: Node;
}

/** `flip_rate.max`, `slices[].where.task` and the like. */
function fieldsOf({ properties = {} }: Node, prefix = ''): string[] {
  return Object.entries(properties).flatMap(([name, node]) => [
    `${prefix}${name}`,
    ...fieldsOf(node, `${prefix}${name}.`),
    ...fieldsOf(node.items ?? {}, `${prefix}${name}[].`),
  ]);
}
