import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { GRADING_FILES, gradingFile } from '../grading/index.ts';
import { reportStyle } from '../verdict-report/index.ts';
import type { PageResponse } from './page-response.ts';

const TYPES = {
  'dashboard.css': 'text/css; charset=utf-8',
  'dashboard.js': 'text/javascript; charset=utf-8',
  'live.js': 'text/javascript; charset=utf-8',
  'frontier.js': 'text/javascript; charset=utf-8',
  'verdict-report.css': 'text/css; charset=utf-8',
  'grading.css': 'text/css; charset=utf-8',
  'grading.js': 'text/javascript; charset=utf-8',
  'playground.js': 'text/javascript; charset=utf-8',
  'icon.svg': 'image/svg+xml',
} as const;
export type StaticFile = keyof typeof TYPES;

interface Loaded {
  readonly body: Uint8Array;
  readonly type: string;
  readonly hash: string;
}

const loaded = new Map<string, Loaded>();

/** The address of a file; another one with each version of it, so that browsers may keep it for ever. */
export function fileUrl(name: StaticFile): string {
  return `/dashboard/files/${load(name).hash}/${name}`;
}

/** @param hash as in the address @returns undefined if there is no such file */
export function staticFile(hash: string, name: string): PageResponse | undefined {
  if (!Object.hasOwn(TYPES, name)) return undefined;
  const { body, type, hash: current } = load(name as StaticFile);
  const keep = hash === current ? 'public, max-age=31536000, immutable' : 'no-store';
  return { status: 200, body, type, headers: { 'cache-control': keep } };
}

function load(name: StaticFile): Loaded {
  const known = loaded.get(name);
  if (known !== undefined) return known;
  const body = Buffer.from(textOf(name));
  const hash = createHash('sha256').update(body).digest('base64url').slice(0, 12);
  const file = { body, type: TYPES[name], hash };
  loaded.set(name, file);
  return file;
}

/** Some are those of another room. */
function textOf(name: StaticFile): string {
  const grading = GRADING_FILES.find((one) => one === name);
  if (grading !== undefined) return gradingFile(grading);
  return name === 'verdict-report.css'
    ? reportStyle()
    : readFileSync(new URL(`./browser/${name}`, import.meta.url), 'utf8');
}
