import { stat } from 'node:fs/promises';
import path from 'node:path';
import {
  CLASSIFIER_FILE,
  GOLDEN_FILE,
  MANIFEST_FILE,
  MODEL_CARD_FILE,
  SEEN_QUESTIONS_FILE,
} from './artifact-files.ts';
import { CURRENT_FILE, resolveArtifact } from './store.ts';
import { VERDICT_FILE } from './verdict.ts';

const WATCHED = [
  MANIFEST_FILE,
  VERDICT_FILE,
  CLASSIFIER_FILE,
  GOLDEN_FILE,
  MODEL_CARD_FILE,
  SEEN_QUESTIONS_FILE,
];

/**
 * Tells one state of an artifact, or of a store's current artifact, from another: inode, size and time of its files. Polled
 * and not watched by the operating system, which reports nothing on many network and container file systems.
 * Undefined while there is no artifact, as for an instant when one is replaced.
 */
export async function artifactMark(folder: string): Promise<string | undefined> {
  const place = resolvedOr(folder);
  const files = [path.join(folder, CURRENT_FILE), ...WATCHED.map((name) => path.join(place, name))];
  const [pointer, manifest, ...others] = await Promise.all(files.map(fileMark));
  if (pointer === '-' && manifest === '-') return undefined;
  return [place, pointer, manifest, ...others].join('\n');
}

/** A pointer that leads nowhere is watched by itself: it may be mended. */
function resolvedOr(folder: string): string {
  try {
    return resolveArtifact(folder);
  } catch {
    return folder;
  }
}

async function fileMark(file: string): Promise<string> {
  try {
    const { ino, size, mtimeMs } = await stat(file);
    return `${ino} ${size} ${mtimeMs}`;
  } catch {
    return '-';
  }
}

/** What `watchArtifact` asks and tells. */
export interface ArtifactWatch {
  /** Asked each time: a new configuration may name another folder. */
  readonly folder: () => string;
  /** The mark of what was opened last, or tried, taken before it was opened: what changes meanwhile is another change. */
  readonly seen: () => string | undefined;
  readonly intervalMs: number;
  /** Has to open what is there, so that `seen` has its mark: called once for each change, whatever comes of it. */
  readonly onChange: () => Promise<unknown>;
}

/** Looks every `intervalMs` whether the artifact changed, without keeping the process alive. Returns what ends it. */
export function watchArtifact({ folder, seen, intervalMs, onChange }: ArtifactWatch): () => void {
  let ended = false;
  let timer: NodeJS.Timeout;

  async function look(): Promise<void> {
    const place = folder();
    const mark = await artifactMark(place);
    const settled = mark === (await artifactMark(place)); // a folder that is replaced between two files has no mark yet
    if (ended) return;
    if (settled && mark !== undefined && mark !== seen()) await onChange();
    wait();
  }

  function wait(): void {
    if (!ended) timer = setTimeout(look, intervalMs).unref();
  }

  wait();
  return () => {
    ended = true;
    clearTimeout(timer);
  };
}
