import { cpSync, existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { runFolder } from './run-folder.ts';

const WAIT_MS = 50_000;

/**
 * Copies a folder to `target`. The first worker of a run that asks for it makes it, the others wait: a training run takes seconds of processor
 * time in each of them. The same name must mean the same content.
 * @param make writes the folder, which is not there yet
 */
export async function copyOfMadeOnce(
  name: string,
  target: string,
  make: (folder: string) => Promise<unknown>,
): Promise<void> {
  const place = path.join(runFolder(), `made-${name}`);
  const [folder, done] = [path.join(place, name), path.join(place, 'done')];
  if (isFirst(place)) {
    await make(folder);
    mkdirSync(done);
  }
  const untilMs = performance.now() + WAIT_MS;
  while (!existsSync(done)) {
    if (performance.now() > untilMs) throw new Error(`another worker of the tests has not made ${name}`);
    await sleep(50);
  }
  cpSync(folder, target, { recursive: true });
}

/** Whoever makes the folder makes what is in it. */
function isFirst(place: string): boolean {
  try {
    mkdirSync(place);
    return true;
  } catch {
    return false;
  }
}
