import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Manifest } from '../../router/artifact/index.ts';
import { judgeColumns, type ReplyJudge } from '../../router/cascade/index.ts';
import { type TinyArtifact, tinyArtifact } from './tiny-artifact.ts';
import { copyAs, layVerdict } from './verdicts.ts';

const MODELS = ['tiny-cheap-1', 'tiny-strong-1'];

/** A judge that knows one thing: the given columns' weights are those of "the strong reply is the better one". */
export function judgeBy(weights: Readonly<Record<string, number>>, intercept = 0): ReplyJudge {
  const columns = judgeColumns(MODELS);
  const none = { weights: columns.map(() => 0), intercept: 0 };
  return {
    columns,
    cheap: none,
    strong: none,
    better: { weights: columns.map((column) => weights[column] ?? 0), intercept },
  };
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
