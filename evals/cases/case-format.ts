import { PlimsollError } from '../../router/errors.ts';

/** How a cases file is written. Told by the name alone: `.gz` behind any of the endings means compressed. */
export interface CaseFormat {
  readonly kind: 'json' | 'csv' | 'tsv';
  readonly gzipped: boolean;
}

const ENDINGS: ReadonlyMap<string, CaseFormat['kind']> = new Map([
  ['.jsonl', 'json'],
  ['.ndjson', 'json'],
  ['.json', 'json'],
  ['.csv', 'csv'],
  ['.tsv', 'tsv'],
]);

/** @throws PlimsollError 'invalid-input' for any other ending */
export function caseFormatOf(file: string): CaseFormat {
  const name = file.toLowerCase();
  const gzipped = name.endsWith('.gz');
  const bare = gzipped ? name.slice(0, -'.gz'.length) : name;
  for (const [ending, kind] of ENDINGS) {
    if (bare.endsWith(ending)) return { kind, gzipped };
  }
  throw new PlimsollError(
    'invalid-input',
    `${file}: cannot tell the format from the name. Cases are JSON (.jsonl, .ndjson, .json: one object a line, objects over ` +
      'several lines, or an array), CSV (.csv) or tab-separated (.tsv), each also as .gz.',
    { place: { file } },
  );
}
