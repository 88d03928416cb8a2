import { readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import '../../evals/vitest-matcher.ts';
import { runGate } from '../../evals/gate/index.ts';
import { PlimsollError } from '../../router/errors.ts';
import { itLong } from '../helpers/long-run.ts';
import { copyAs } from '../helpers/verdicts.ts';
import { type TinyGating, tinyGating } from './tiny-gating.ts';

let tiny: TinyGating;
/** The artifact, each gated once on the data of that name. */
let passing: string;
let failing: string;
let few: string;
beforeAll(async () => {
  tiny = await tinyGating();
  const gatedOn = async (name: 'passing' | 'failing' | 'few') => {
    const artifact = copyAs(tiny.artifact, path.join(tiny.home, name, 'mine'));
    await runGate({ artifact, suite: tiny.suite, data: [tiny[name]], write: true });
    return artifact;
  };
  passing = await gatedOn('passing');
  failing = await gatedOn('failing');
  few = await gatedOn('few');
});

/** What vitest would print: the error of an expectation that must not hold. */
async function failureOf(expectation: Promise<void>): Promise<Error> {
  const outcome = await expectation.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(outcome instanceof Error)) throw new Error('the expectation held');
  return outcome;
}

test('a PASS passes, by folder and by object', async () => {
  await expect(passing).toPassGate(tiny.suite, { data: [tiny.passing] });
  await expect({ artifact: passing }).toPassGate(tiny.suite, { data: [tiny.passing] });
});

test('a FAIL fails, with the terminal report and without colours', async () => {
  const failure = await failureOf(expect(failing).toPassGate(tiny.suite, { data: [tiny.failing] }));
  expect(failure).not.toBeInstanceOf(PlimsollError);
  expect(failure.message).toMatch(/^The gate says FAIL/);
  expect(failure.message).toMatch(
    /^FAIL {2}mine, policy default version 1, threshold 0\.3000, suite tiny-suite, 600 sealed cases$/m,
  );
  expect(failure.message).toMatch(/^quality-loss +0\.5000 .* at most 0\.1000 +600 +promised +FAIL$/m);
  expect(failure.message).toMatch(/^always strong /m);
  expect(failure.message.includes('\u001b')).toBe(false);
});

test('an INCONCLUSIVE fails and says that it is no PASS, and how many cases would decide', async () => {
  const failure = await failureOf(expect(few).toPassGate(tiny.suite, { data: [tiny.few] }));
  expect(failure.message).toMatch(/^The gate says INCONCLUSIVE, which is no PASS/);
  expect(failure.message).toMatch(
    /^quality-loss: too few cases to prove the limit: it takes at least \d+ further ones, even if none of them loses, and more if some do$/m,
  );
});

itLong('.not holds for FAIL and for INCONCLUSIVE, and fails for PASS', async () => {
  await expect(failing).not.toPassGate(tiny.suite, { data: [tiny.failing] });
  await expect(few).not.toPassGate(tiny.suite, { data: [tiny.few] });
  const failure = await failureOf(expect(passing).not.toPassGate(tiny.suite, { data: [tiny.passing] }));
  expect(failure.message).toMatch(/^The gate says PASS, and the test expects that it does not/);
});

test.each([
  ['no cases named', {}, 'insufficient-data'],
  ['data that are not there', { data: ['nowhere.jsonl'] }, 'not-found'],
])('%s: the error is thrown as it is, with and without .not', async (_, options, code) => {
  const expectation = () => expect(tiny.artifact);
  expect(await failureOf(expectation().toPassGate(tiny.suite, options))).toMatchObject({ code });
  expect(await failureOf(expectation().not.toPassGate(tiny.suite, options))).toMatchObject({ code });
});

test('a suite or an artifact that is not there is an error too', async () => {
  const options = { data: [tiny.passing] };
  const nowhere = path.join(tiny.home, 'nowhere');
  expect(await failureOf(expect(tiny.artifact).toPassGate(nowhere, options))).toMatchObject({
    code: 'not-found',
  });
  expect(await failureOf(expect(nowhere).toPassGate(tiny.suite, options))).toBeInstanceOf(PlimsollError);
  expect(await failureOf(expect(7).toPassGate(tiny.suite, options))).toMatchObject({ code: 'invalid-input' });
});

test('nothing is written: no verdict, no look', async () => {
  const files = ['mine/verdict.json', 'looks.jsonl'].map((name) => path.join(passing, '..', name));
  const before = files.map((file) => readFileSync(file));
  await expect(passing).toPassGate(tiny.suite, { data: [tiny.passing] });
  expect(files.map((file) => readFileSync(file))).toEqual(before);
});

test('what was not gated, or on other cases, is an error with and without .not: it would be a look without a record', async () => {
  const refused = { code: 'invalid-input', message: expect.stringContaining('A check repeats a look') };
  for (const artifact of [tiny.artifact, failing]) {
    const expectation = expect(artifact);
    const data = { data: [tiny.passing] };
    expect(await failureOf(expectation.toPassGate(tiny.suite, data))).toMatchObject(refused);
    expect(await failureOf(expectation.not.toPassGate(tiny.suite, data))).toMatchObject(refused);
  }
});

test('the types know the matcher', () => {
  // @ts-expect-error a suite is needed
  const withoutSuite = () => expect('models/mine').toPassGate();
  // @ts-expect-error data are files
  const badData = () => expect('models/mine').toPassGate('suite.yaml', { data: 7 });
  expect([withoutSuite, badData]).toHaveLength(2);
});
