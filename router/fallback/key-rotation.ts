import { type CatalogModel, type Provider, placeName } from '../catalog/index.ts';
import type { FailedAttempt, UnroutedCall, UpstreamSettings } from '../exchange/index.ts';
import type { Clock } from './failure-rules.ts';

/** A model with one of its provider's keys. */
export interface KeyedModel {
  readonly model: CatalogModel;
  /** The environment variable of the key. */
  readonly key: string;
  /** Names what is known about the key at this model: rates differ by model, and so may permissions. */
  readonly breaker: string;
  /** Its provider asked to wait, or refused it a moment ago. */
  readonly rests: boolean;
}

/**
 * Which of a provider's keys is called. One is called until it fails, so that the provider's cache of prompts, which belongs to an account,
 * stays warm; then the next one takes over. A key rests as long as its provider asked, while there are others.
 */
export class KeyRotation {
  readonly #settings: UpstreamSettings['breaker'];
  readonly #clock: Clock;
  /** By model, and deployment if it has several: the place of the key that comes first. */
  readonly #first = new Map<string, number>();
  /** By `breaker`, on the clock. */
  readonly #restsUntil = new Map<string, number>();

  constructor(settings: UpstreamSettings['breaker'], clock: Clock) {
    this.#settings = settings;
    this.#clock = clock;
  }

  /** The keys to try, in order: those that rest come last, the one whose rest ends soonest first. */
  order(model: CatalogModel, call: UnroutedCall): readonly KeyedModel[] {
    const { keys = [] } = model.provider;
    const now = this.#clock.now();
    const all = keys.map((provider) => {
      const keyed = keyedModel(model, provider);
      return { ...keyed, rests: this.#restOf(keyed.breaker) > now };
    });
    if (namesFile(call)) return all.slice(0, 1);
    const first = this.#first.get(placeName(model)) ?? 0;
    const inTurn = [...all.slice(first), ...all.slice(0, first)];
    const resting = inTurn.filter(({ rests }) => rests);
    resting.sort((a, b) => this.#restOf(a.breaker) - this.#restOf(b.breaker));
    return [...inTurn.filter(({ rests }) => !rests), ...resting];
  }

  /** A key failed: the next requests begin with the one after it. */
  failed(failed: KeyedModel, model: CatalogModel, { failure, retryAfterMs }: FailedAttempt): void {
    const { openMs, maxOpenMs } = this.#settings;
    const { provider } = model;
    const place = provider.keys?.findIndex(({ apiKeyEnv }) => apiKeyEnv === failed.key) ?? 0;
    this.#first.set(placeName(model), (place + 1) % (provider.keys?.length ?? 1));
    const rest = failure === 'rate-limited' ? Math.min(retryAfterMs ?? 0, maxOpenMs) : openMs;
    if (rest > 0) this.#restsUntil.set(failed.breaker, this.#clock.now() + rest);
  }

  #restOf(breaker: string): number {
    return this.#restsUntil.get(breaker) ?? 0;
  }
}

function keyedModel(model: CatalogModel, provider: Provider): Omit<KeyedModel, 'rests'> {
  const key = provider.apiKeyEnv ?? '';
  return { model: { ...model, provider }, key, breaker: `${placeName(model)} ${key}` };
}

/** Files at a provider belong to the account of the key that sent them, which is the first: see passed-request. */
const FILE_FIELD = /"(?:file_id|fileUri|file_uri|input_file_id|training_file)"\s*:/;

export function namesFile({ bodyText, body }: UnroutedCall): boolean {
  return FILE_FIELD.test(bodyText ?? JSON.stringify(body));
}
