import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { competes, servedLadder } from '../../router/artifact/index.ts';
import { configSchema } from '../../router/config/index.ts';
import { createRouter } from '../../router/create-router.ts';
import type { Router } from '../../router/router.ts';
import { threeRungCascade } from '../helpers/cascade-artifact.ts';
import { type TinyArtifact, tinyArtifact } from '../helpers/tiny-artifact.ts';
import { copyAs, layVerdict } from '../helpers/verdicts.ts';
import { scratchFolder } from '../server/hot-serving.ts';
import { tinyConfig } from '../server/serving.ts';

let tiny: TinyArtifact;
let router: Router;
beforeAll(async () => {
  tiny = await tinyArtifact();
  const { specialists, profiles } = configSchema.parse({
    ladder: { cheap: { for: ['SQL', 'code-writing'] } },
    profiles: { open: { ladder: { cheap: { for: [] } } }, narrow: { ladder: { cheap: { for: ['maths'] } } } },
  });
  router = await createRouter(await tinyConfig({ config: { specialists, profiles } }));
});
afterAll(() => router.close());

const decided = async (options: Parameters<Router['route']>[1], prompt = tiny.easy[0]!) => {
  const { candidate, reason, verdict, ungatedReason } = await router.route({ prompt }, options);
  return [candidate, reason, verdict, ungatedReason];
};

test('a specialist competes for its own tasks, in any case of letters of the configuration, and for no other', async () => {
  const kept = ['cheap', 'within-threshold', 'PASS', null];
  const up = ['strong', 'requirements', 'PASS', null]; // always-strong loses nothing against itself
  expect(await decided({ task: 'sql' })).toEqual(kept);
  expect(await decided({ task: 'code-writing' })).toEqual(kept);
  expect(await decided({ task: 'chat' })).toEqual(up);
  expect(await decided({})).toEqual(up);
  expect(await decided({ task: 'sql' }, tiny.hard[0]!)).toEqual(['strong', 'over-threshold', 'PASS', null]);
});

test('a profile inherits the tasks, takes them away or names others', async () => {
  expect((await decided({ profile: 'open' }))[0]).toBe('cheap');
  expect((await decided({ profile: 'narrow', task: 'sql' }))[0]).toBe('strong');
  expect((await decided({ profile: 'narrow', task: 'maths' }))[0]).toBe('cheap');
  expect(router.ladder[0]).toMatchObject({ tasks: ['sql', 'code-writing'] });
  expect(router.profiles.get('open')!.rungs[0]).not.toHaveProperty('tasks');
});

test('where nobody else can take the request, the specialist does, and claims no PASS for it', async () => {
  expect(await decided({ allowedRungs: [0] }, tiny.hard[0]!)).toEqual([
    'cheap',
    'requirements',
    'none',
    'downgraded',
  ]);
});

test('on a rung between, which the gate has not seen for such requests, the decision claims no PASS', async () => {
  const three = await threeRungCascade();
  const folder = copyAs(three.folder, path.join(scratchFolder(), 'three'));
  const file = path.join(folder, 'manifest.json');
  const { cascade: _, ...manifest } = JSON.parse(readFileSync(file, 'utf8'));
  writeFileSync(file, JSON.stringify(manifest));
  layVerdict(folder);
  const config = { specialists: { cheap: ['sql'] } };
  const climbing = await createRouter({ ...(await tinyConfig({ config })), artifact: folder });
  const went = async (prompt: string, task?: string) => {
    const { candidate, verdict, ungatedReason } = await climbing.route(
      { prompt },
      task === undefined ? {} : { task },
    );
    return [candidate, verdict, ungatedReason];
  };
  const [easy, hard] = [three.easy[0]!, three.hard[0]!];
  expect(await went(easy, 'sql')).toEqual(['cheap', 'PASS', null]);
  expect(await went(easy)).toEqual(['middle', 'none', 'specialist-left-out']);
  expect(await went(hard)).toEqual(['strong', 'PASS', null]);
  await climbing.close();
});

test('who competes is a function of the task alone', () => {
  const tasks = fc.array(fc.constantFrom('sql', 'chat', 'maths'));
  fc.assert(
    fc.property(tasks, fc.option(fc.constantFrom('sql', 'chat', 'x'), { nil: undefined }), (own, task) => {
      expect(competes({}, task)).toBe(true);
      expect(competes({ tasks: own }, task)).toBe(own.some((one) => one === task));
    }),
  );
});

describe('what is wrong stops the start', () => {
  const manifest = {
    name: 'a',
    ladder: [
      { candidate: 'cheap', model: 'c' },
      { candidate: 'strong', model: 's' },
    ],
  };
  test.each([
    [{ strong: ['sql'] }, /^ladder\.strong\.for: the strongest candidate takes whatever no other one may/],
    [{ chep: ['sql'] }, /^ladder\.chep: the artifact a has no such candidate/],
  ])('%j', (specialists, message) => {
    expect(() => servedLadder(manifest as never, {}, 'ladder', specialists)).toThrow(message);
  });
});
