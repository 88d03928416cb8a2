import { PlimsollError, quoted } from './errors.ts';
import { nearestName } from './nearest-name.ts';

/** The header by which a client names the profile of a request. It stays here: no provider gets it. */
export const PROFILE_HEADER = 'x-plimsoll-profile';

/** A profile, and what named it. */
export interface NamedProfile {
  readonly name: string;
  readonly by: 'model' | 'header' | 'path' | 'key' | 'field';
}

const NAMED: Readonly<Record<NamedProfile['by'], string>> = {
  model: 'the model',
  header: `the header ${PROFILE_HEADER}`,
  path: 'the path',
  key: 'the API key',
  field: 'the field profile',
};

const FIELDS: Readonly<Record<NamedProfile['by'], string | undefined>> = {
  model: 'model',
  header: PROFILE_HEADER,
  path: undefined,
  key: undefined,
  field: 'profile',
};

/**
 * The one profile that a request is for. Nothing goes before anything else: whatever names one must name the same.
 * @throws PlimsollError `invalid-input` that says which two contradict each other
 */
export function agreedProfile(...named: readonly (NamedProfile | undefined)[]): NamedProfile | undefined {
  const [first, ...others] = named.filter((one) => one !== undefined);
  const other = others.find(({ name }) => name !== first!.name);
  if (first === undefined || other === undefined) return first;
  const field = FIELDS[other.by] ?? FIELDS[first.by];
  throw new PlimsollError(
    'invalid-input',
    `Of this request ${NAMED[first.by]} says the profile "${quoted(first.name)}", and ${NAMED[other.by]} "${quoted(other.name)}". Name one of them.`,
    { place: field === undefined ? {} : { field } },
  );
}

/** What a header of a client says; undefined if there is none, or nothing in it. */
export function profileInHeader(header: string | readonly string[] | undefined): NamedProfile | undefined {
  const name = header === undefined ? '' : String(header).trim();
  return name === '' ? undefined : { name, by: 'header' };
}

/** @throws PlimsollError `not-found` if there is no profile of this name */
export function existingProfile(
  named: NamedProfile | undefined,
  profiles: ReadonlyMap<string, unknown>,
): string | undefined {
  if (named === undefined || profiles.has(named.name)) return named?.name;
  throw noSuchProfile(named.name, [...profiles.keys()], FIELDS[named.by], `, which ${NAMED[named.by]} names`);
}

/** @param names of the profiles that there are */
export function noSuchProfile(
  name: string,
  names: readonly string[],
  field: string | undefined = 'profile',
  whence = '',
): PlimsollError {
  const near = nearestName(name, names);
  const known = names.join(', ') || 'none';
  const meant = near === undefined ? '' : ` Did you mean "${near}"?`;
  return new PlimsollError(
    'not-found',
    `There is no profile "${quoted(name)}"${whence}.${meant} There are: ${known}.`,
    { place: { field } },
  );
}
