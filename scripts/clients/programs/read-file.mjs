import { readFileSync } from 'node:fs';

/** The tool of every program: what it returns can be known by running it alone. */
export function readFile({ path }) {
  return readFileSync(path, 'utf8');
}

export const DESCRIPTION = 'Reads a file of the working folder.';
export const SCHEMA = { type: 'object', properties: { path: { type: 'string' } }, required: ['path'] };

export const {
  PLIMSOLL_URL: url,
  PLIMSOLL_MODEL: model,
  PLIMSOLL_PROMPT: prompt,
  PROVIDER: provider,
} = process.env;
export const apiKey = 'unused-on-loopback';
