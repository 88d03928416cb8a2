import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';

/** A disk of its own, full after so many kB; it ends with the test. */
export function tinyDisk(kilobytes: number): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'plimsoll-disk-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${kilobytes}k`, 'tmpfs', folder]);
  onTestFinished(() => {
    spawnSync('umount', ['--lazy', folder]);
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

/** Why there can be none here; undefined if there can. Only root may mount, and not in every container. */
export function noTinyDisk(): string | undefined {
  const folder = mkdtempSync(path.join(tmpdir(), 'plimsoll-disk-'));
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=4k', 'tmpfs', folder]);
  if (status === 0) spawnSync('umount', [folder]);
  rmSync(folder, { recursive: true, force: true });
  return status === 0 ? undefined : 'a tmpfs cannot be mounted here';
}

/** Hidden files: temporary ones and locks. */
export function hiddenIn(folder: string): string[] {
  return readdirSync(folder).filter((name) => name.startsWith('.'));
}
