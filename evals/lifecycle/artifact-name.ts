import path from 'node:path';
import { manifestSchema } from '../../router/artifact/index.ts';
import { PlimsollError } from '../../router/errors.ts';

/**
 * The name of the artifact that goes to `out`: the one given, or the folder's own. Asked before long work begins.
 * @throws PlimsollError `invalid-input` where it would not do.
 */
export function artifactName(out: string, given?: string): string {
  if (out.trim() === '')
    throw new PlimsollError('invalid-input', '--out is empty: name the folder to write.');
  const name = given ?? path.basename(path.resolve(out));
  if (manifestSchema.shape.name.safeParse(name).success) return name;
  throw new PlimsollError(
    'invalid-input',
    `"${name}" cannot name an artifact. Use letters, digits, dots, dashes and underscores, a letter or digit first, in ${given === undefined ? 'the last part of --out' : '--name'}.`,
  );
}
