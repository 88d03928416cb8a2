import { PlimsollError } from '../../router/errors.ts';

/**
 * The names of the benchmarks that were asked for, all where none was.
 * @param only names with commas between them
 * @throws PlimsollError `invalid-input` where there is no benchmark of a name
 */
export function chosen(
  benches: Readonly<Record<string, unknown>>,
  only: string | undefined,
): readonly string[] {
  const all = Object.keys(benches);
  const names = only?.split(',') ?? all;
  const unknown = names.find((name) => !Object.hasOwn(benches, name));
  if (unknown === undefined) return names;
  const choices = all.join(', ');
  throw new PlimsollError('invalid-input', `There is no benchmark '${unknown}'. Choose from ${choices}.`);
}
