import { existsSync } from 'node:fs';
import path from 'node:path';
import {
  type Frontier,
  listArtifacts,
  type Manifest,
  readFrontier,
  readManifest,
  readVerdict,
  resolveArtifact,
  type StoredVerdict,
} from '../artifact/index.ts';
import { STARTER_FOLDER } from '../artifact-views.ts';
import { PlimsollError } from '../errors.ts';
import { day } from './format.ts';
import type { PageContext } from './page.ts';

/** An artifact whose frontier can be asked for. */
export interface FrontierArtifact {
  /** The name of its folder: what a link and a form name it by. */
  readonly name: string;
  readonly folder: string;
  readonly isServing: boolean;
}

/** What serves first, then the others of its store. */
export function frontierArtifacts({
  parts,
  nowMs,
}: Pick<PageContext, 'parts' | 'nowMs'>): FrontierArtifact[] {
  const { artifact = STARTER_FOLDER } = parts.config();
  if (existsSync(path.join(artifact, 'manifest.json'))) return [named(artifact, true)];
  const serving = path.resolve(resolveArtifact(artifact));
  const others = listArtifacts(artifact, new Date(nowMs))
    .map(({ folder }) => path.join(artifact, folder))
    .filter((folder) => path.resolve(folder) !== serving);
  return [named(serving, true), ...others.map((folder) => named(folder, false))];
}

function named(folder: string, isServing: boolean): FrontierArtifact {
  return { name: path.basename(path.resolve(folder)), folder, isServing };
}

/** What is known about an artifact's thresholds; a sentence says why nothing is. */
export type FoundFrontier =
  | {
      readonly kind: 'found';
      readonly manifest: Manifest;
      readonly verdict: StoredVerdict;
      readonly frontier: Frontier;
    }
  | { readonly kind: 'missing'; readonly why: string };

export function findFrontier({ folder }: FrontierArtifact): FoundFrontier {
  try {
    const verdict = readVerdict(folder);
    if (verdict === undefined)
      return {
        kind: 'missing',
        why: 'There is no verdict.json in its folder: the gate has not judged this artifact, or the file is gone.',
      };
    const frontier = readFrontier(folder, verdict);
    return frontier === undefined
      ? { kind: 'missing', why: withoutFrontier(verdict) }
      : { kind: 'found', manifest: readManifest(folder), verdict, frontier };
  } catch (error) {
    if (error instanceof PlimsollError) return { kind: 'missing', why: error.message };
    throw error;
  }
}

/** An earlier version wrote none; of later ones all that is known is that the file is not there. */
function withoutFrontier({ schema_version: version, issued }: StoredVerdict): string {
  const there = `There is a verdict of ${day(issued)} in its folder, and no frontier.json beside it`;
  return version === 1
    ? `${there}: an earlier version of the gate wrote it, and did not measure other thresholds.`
    : `${there}: the file was removed, was not copied along, or an earlier version of the gate wrote none.`;
}
