import { isHuman } from '../catalog/index.ts';
import { PlimsollError } from '../errors.ts';
import type { UpstreamSettings } from '../exchange/index.ts';
import { type Experiment, NO_PROFILE } from '../experiments/index.ts';
import type { Router } from '../router.ts';
import { rungsOf } from './selection.ts';

/** Where people might be named. */
interface Named {
  readonly upstream: Pick<UpstreamSettings, 'fallbacks'>;
  readonly people: Readonly<Record<string, { readonly fallback?: string | undefined }>>;
  readonly experiments: readonly Experiment[];
}

/**
 * Fallbacks and shadows are models: an outage, or copies of requests that nobody reads, would fill the queue of people.
 * @throws PlimsollError `invalid-config` that names the field, if one names people
 */
export function refusePeople(
  { upstream, people, experiments }: Named,
  router: Pick<Router, 'ladder' | 'profiles'>,
): void {
  const noFallback = 'a failure is not handed to them, and they are no fallback. Name models.';
  for (const [name, equals] of Object.entries(upstream.fallbacks))
    refuse(`upstream.fallbacks.${name}`, [name, ...equals], noFallback);
  for (const [name, { fallback }] of Object.entries(people))
    if (fallback !== undefined) refuse(`people.${name}.fallback`, [fallback], noFallback);
  for (const experiment of experiments) {
    if (experiment.kind !== 'shadow') continue;
    const { name, to } = experiment;
    if ('models' in to)
      refuse(`experiments.${name}.to.models`, to.models, 'a shadow asks models alone. Name models.');
    else
      refuse(
        `experiments.${name}.to.profile`,
        rungsOf(to.profile === NO_PROFILE ? undefined : to.profile, router).map(({ model }) => model),
        'a shadow asks models alone. Name models, or a profile without people on its ladder.',
      );
  }
}

function refuse(field: string, models: readonly string[], why: string): void {
  const found = models.find(isHuman);
  if (found === undefined) return;
  throw new PlimsollError('invalid-config', `${field} names people (${found}): ${why}`, { place: { field } });
}
