import type { Losses } from './losses.ts';
import type { ProviderOptions } from './sdk-types.ts';
import type { CacheControl, Target } from './target.ts';

/** Something in a request that may bear a cache mark. */
export interface Markable {
  readonly cache_control?: CacheControl | null | undefined;
}

/** The mark as the target's provider wants it; dropped if there is no place for it. */
export function cacheOptions(
  { cache_control: mark }: Markable,
  path: readonly PropertyKey[],
  { cache }: Pick<Target, 'cache'>,
  losses: Losses,
): { providerOptions?: ProviderOptions } {
  if (!mark) return {};
  if (cache) return { providerOptions: cache(mark) };
  losses.drop([...path, 'cache_control'], "the chosen model's provider has no place for it");
  return {};
}
