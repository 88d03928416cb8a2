import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Case } from '../../evals/cases/index.ts';
import { train } from '../../evals/lifecycle/index.ts';
import { type Manifest, writeArtifact } from '../../router/artifact/index.ts';
import { judgeColumns, LEAST_POSSIBLE_LOGPROB, type ReplyJudge } from '../../router/cascade/index.ts';
import { type TinyArtifact, tinyArtifact } from './tiny-artifact.ts';
import { copyAs, layVerdict } from './verdicts.ts';

const MODELS = ['tiny-cheap-1', 'tiny-strong-1'];

/** A judge that knows one thing: the given columns' weights are those of "the strong reply is the better one". */
export function judgeBy(
  weights: Readonly<Record<string, number>>,
  intercept = 0,
  models: readonly string[] = MODELS,
): ReplyJudge {
  const columns = judgeColumns(models);
  const none = { weights: columns.map(() => 0), intercept: 0 };
  return {
    columns,
    cheap: none,
    strong: none,
    better: { weights: columns.map((column) => weights[column] ?? 0), intercept },
  };
}

/** The same, of a training in which no reply said why it ended, and none was a refusal. */
export function withoutFinishReason(judge: ReplyJudge): ReplyJudge {
  const ranges = judge.columns.map((column): [number, number] | null => {
    if (column === 'cut_at_limit' || column === 'blocked') return null;
    return column === 'refusal' ? [0, 0] : [LEAST_POSSIBLE_LOGPROB.reply, 1e9];
  });
  return { ...judge, ranges };
}

/** Replies whose tokens have a log-probability of about 0 are good, those of -1 and less are not. */
export const SURE_IS_GOOD = judgeBy({ mean_logprob_log: -8 }, -4);

/** The tiny artifact with a cascade: prompts like its hard ones are not worth a cheap call. */
export async function cascadeArtifact(judge: ReplyJudge = SURE_IS_GOOD, verdict = {}): Promise<TinyArtifact> {
  const tiny = await tinyArtifact();
  const home = mkdtempSync(path.join(tmpdir(), 'plimsoll-cascade-'));
  process.once('exit', () => rmSync(home, { recursive: true, force: true }));
  const folder = copyAs(tiny.folder, path.join(home, 'cascade'));
  const file = path.join(folder, 'manifest.json');
  const manifest = JSON.parse(readFileSync(file, 'utf8')) as Manifest;
  const cascade = { judge, skip: 0.5, path: [{ accept: -1, skip: 0.5 }] };
  writeFileSync(file, JSON.stringify({ ...manifest, cascade }));
  layVerdict(folder, verdict);
  return { ...tiny, folder, name: 'cascade' };
}

const LADDER = ['cheap', 'middle', 'strong'].map((candidate) => ({
  candidate,
  model: `tiny-${candidate}-1`,
}));

/**
 * An artifact of three rungs that calls both of the lower ones for any prompt but those like the hard ones of the tiny artifact. Replies whose tokens
 * have a log-probability of about 0 are good, those of -1 and less are not.
 * @param judges of the cheapest and the middle rung
 */
export async function threeRungCascade(
  judges: readonly [ReplyJudge?, ReplyJudge?] = [],
): Promise<Pick<TinyArtifact, 'folder' | 'easy' | 'hard'>> {
  const { easy, hard } = await tinyArtifact();
  const cases = [...easy, ...hard].map((text, i): Case => {
    const luck = (i * 7919) % 101;
    const isHard = i >= easy.length;
    const quality = [luck < (isHard ? 5 : 90), luck < (isHard ? 8 : 95), luck < 97].map(Number);
    const outcomes = LADDER.map(({ model }, rung) => [model, { quality: quality[rung]! }] as const);
    return { id: text, key: text, text, outcomes: new Map(outcomes) };
  });
  const draft = await train(
    { cases },
    {
      name: 'cascade-of-three',
      ladder: LADDER,
      rule: { rule: 'escalation-rate', target: 0.4 },
      folds: 2,
      learner: 'lr',
      holdOut: false,
    },
  );
  const sure = judgeBy(
    { mean_logprob_log: -8 },
    -4,
    LADDER.map(({ model }) => model),
  );
  const [cheapest, middle] = [0, 1].map((rung) => ({
    judge: judges[rung] ?? sure,
    skip: 0.5,
    path: [{ accept: -1, skip: 0.5 }],
  }));
  const home = mkdtempSync(path.join(tmpdir(), 'plimsoll-cascade-'));
  process.once('exit', () => rmSync(home, { recursive: true, force: true }));
  const folder = path.join(home, 'cascade-of-three');
  const policy = { ...draft.manifest.policy, threshold: 0.3 };
  writeArtifact(folder, {
    ...draft,
    manifest: { ...draft.manifest, policy, cascade: { ...cheapest!, middle: [middle!] } },
  });
  layVerdict(folder);
  return { folder, easy, hard };
}
