import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';

/** The repository, where `scripts/cli.ts` and `models/` are. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url));
export const PINS = path.join(ROOT, 'test/fixtures/pins');
export const UPDATING = process.env['UPDATE_PINS'] === '1';

/**
 * Fails unless `text` is what the fixture holds, byte for byte. With UPDATE_PINS=1 it writes the fixture instead.
 * @param name path below test/fixtures/pins
 */
export function expectPinned(name: string, text: string): void {
  const file = path.join(PINS, name);
  if (UPDATING) {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  expect(text, name).toBe(readFileSync(file, 'utf8'));
}

export function pinnedJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

export function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}
