import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { fileError } from '../../evals/case-files/index.ts';
import { PlimsollError } from '../../router/errors.ts';

/** One public data set: where it comes from, what it may be used for, and what to know before using it. */
const sourceSchema = z
  .strictObject({
    name: z.string().regex(/^[a-z\d_]+$/),
    /** The repository that it was taken from. */
    address: z.url({ protocol: /^https$/ }),
    commit: z.string().regex(/^[\da-f]{7,40}$/),
    /** SPDX, of the repository's licence file; null if it has none. */
    licence: z.string().min(1).nullable(),
    licence_note: z.string().min(1),
    use: z.enum(['training', 'evaluation']),
    rows: z.int().positive(),
    models: z.int().min(2),
    /** Hash of the converted file that this project's figures were measured on; the file is not part of the project. */
    sha256: z.string().regex(/^[\da-f]{64}$/),
    /** The format that `plimsoll import` takes its raw files under, or null. */
    importer: z.string().min(1).nullable(),
    /** Why there is no importer, or what was checked of it. */
    importer_note: z.string().min(1),
    notes: z.array(z.string().min(1)),
  })
  .refine(({ licence, use }) => use === 'evaluation' || licence !== null, {
    message: 'data without a licence are for evaluation only',
    path: ['use'],
  });

const sourcesSchema = z.array(sourceSchema).min(1);
export type Source = z.output<typeof sourceSchema>;

/** Reads training-data/sources.json. @throws PlimsollError: no such file, or one that does not fit */
export function loadSources(file: string): readonly Source[] {
  const result = sourcesSchema.safeParse(parsed(file));
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const field = issue?.path.map(String).join('.') ?? '';
  throw new PlimsollError('invalid-input', `${file}: ${field}: ${issue?.message}`, {
    place: { file, field },
  });
}

function parsed(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw fileError(file, cause);
    throw new PlimsollError('invalid-input', `${file}: not valid JSON.`, { place: { file }, cause });
  }
}
