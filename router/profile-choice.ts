import { PlimsollError, quoted } from './errors.ts';
import { nearestName } from './nearest-name.ts';

/** @param names of the profiles that there are */
export function noSuchProfile(name: string, names: readonly string[]): PlimsollError {
  const near = nearestName(name, names);
  const known = names.join(', ') || 'none';
  const meant = near === undefined ? '' : ` Did you mean "${near}"?`;
  return new PlimsollError(
    'not-found',
    `There is no profile "${quoted(name)}".${meant} There are: ${known}.`,
    { place: { field: 'profile' } },
  );
}
