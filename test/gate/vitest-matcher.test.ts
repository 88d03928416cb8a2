import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import '../../evals/vitest-matcher.ts';
import { PlimsollError } from '../../router/errors.ts';
import { type TinyGating, tinyGating } from './tiny-gating.ts';

let tiny: TinyGating;
beforeAll(async () => {
  tiny = await tinyGating();
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
  await expect(tiny.artifact).toPassGate(tiny.suite, { data: [tiny.passing] });
  await expect({ artifact: tiny.artifact }).toPassGate(tiny.suite, { data: [tiny.passing] });
});

test('a FAIL fails, with the terminal report and without colours', async () => {
  const failure = await failureOf(expect(tiny.artifact).toPassGate(tiny.suite, { data: [tiny.failing] }));
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
  const failure = await failureOf(expect(tiny.artifact).toPassGate(tiny.suite, { data: [tiny.few] }));
  expect(failure.message).toMatch(/^The gate says INCONCLUSIVE, which is no PASS/);
  expect(failure.message).toMatch(/^quality-loss: about \d+ further cases would probably decide/m);
});

test('.not holds for FAIL and for INCONCLUSIVE, and fails for PASS', async () => {
  await expect(tiny.artifact).not.toPassGate(tiny.suite, { data: [tiny.failing] });
  await expect(tiny.artifact).not.toPassGate(tiny.suite, { data: [tiny.few] });
  const failure = await failureOf(expect(tiny.artifact).not.toPassGate(tiny.suite, { data: [tiny.passing] }));
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
  const before = readdirSync(tiny.home).sort();
  await expect(tiny.artifact).toPassGate(tiny.suite, { data: [tiny.passing] });
  expect(readdirSync(tiny.home).sort()).toEqual(before);
  expect(existsSync(path.join(tiny.artifact, 'verdict.json'))).toBe(false);
});

test('the types know the matcher', () => {
  // @ts-expect-error a suite is needed
  const withoutSuite = () => expect('models/mine').toPassGate();
  // @ts-expect-error data are files
  const badData = () => expect('models/mine').toPassGate('suite.yaml', { data: 7 });
  expect([withoutSuite, badData]).toHaveLength(2);
});
