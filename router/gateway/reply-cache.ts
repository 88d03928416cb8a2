import type { UnroutedCall } from '../exchange/index.ts';
import { meaningfulHeaders } from '../providers/index.ts';
import { type RequestFacts, totalCostUsd } from '../records/index.ts';
import {
  type BypassReason,
  bypassReason,
  cacheDirectives,
  createResponseCache,
  type FoundReply,
  type ResponseCache,
  type ResponseCacheOptions,
  requestKey,
} from '../response-cache/index.ts';
import type { GatewayRequest } from './request.ts';
import type { Selection } from './selection.ts';

/** What the cache of replies does for a request. */
export type CacheUse =
  | { readonly outcome: 'hit'; readonly found: FoundReply }
  | { readonly outcome: 'miss'; readonly recorder: ReplyRecorder }
  | { readonly outcome: 'bypass'; readonly reason: BypassReason };

/** The caches of one configuration. */
export interface ReplyCaches {
  /** One for the same settings; undefined without any. */
  of(settings: ResponseCacheOptions | undefined): ResponseCache | undefined;
  /** Forgets all replies of all of them. */
  clear(): void;
}

/** Profiles with settings of their own have a cache of their own. */
export function createReplyCaches(): ReplyCaches {
  const caches = new Map<ResponseCacheOptions, ResponseCache>();
  return {
    of(settings) {
      if (settings === undefined) return undefined;
      const cache = caches.get(settings) ?? createResponseCache(settings);
      caches.set(settings, cache);
      return cache;
    },
    clear() {
      for (const cache of caches.values()) void cache.clear();
    },
  };
}

/** Keeps a reply as it goes out, if it becomes a whole one. */
export interface ReplyRecorder {
  hold(reply: Uint8Array): void;
  /** The same bytes, held as they pass. */
  watch(reply: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>;
  /** To be called when the last byte is sent. */
  end(facts: RequestFacts): void;
}

/**
 * Looks a request up, once its model has been selected. Undefined for requests that have nothing to do with a cache: counts, passed-through
 * routes.
 * @param kept the reply is stored in a thread
 * @throws PlimsollError `invalid-input` if a header is wrong
 */
export async function useCache(
  cache: ResponseCache,
  request: GatewayRequest,
  call: UnroutedCall,
  selection: Selection,
  kept: boolean,
): Promise<CacheUse | undefined> {
  const { operation, passed, body, headers } = request;
  if (passed !== undefined || (operation !== 'chat' && operation !== 'embeddings')) return undefined;
  const directives = cacheDirectives(headers);
  const isVector = operation === 'embeddings'; // the same text has the same one
  const options = isVector ? { ...cache.options, anyTemperature: true } : cache.options;
  const reason = kept ? 'kept' : bypassReason(body, directives, options);
  if (reason !== undefined) return { outcome: 'bypass', reason };
  const key = keyOf(request, call, selection);
  const found = await cache.get(key, directives.maxAgeMs);
  if (found !== undefined) return { outcome: 'hit', found };
  const anyTemperature = options.anyTemperature || directives.anyTemperature;
  return { outcome: 'miss', recorder: createRecorder(cache, key, request, anyTemperature) };
}

function keyOf(
  { keyId, dialect, operation, headers, body }: GatewayRequest,
  { unmappable }: UnroutedCall,
  { selected, candidates, decision, chosen, escalation }: Selection,
): string {
  const names = new Set(candidates.flatMap(({ provider }) => meaningfulHeaders(provider, dialect)));
  const { profile, policy, threshold } = chosen?.options ?? {};
  const checks = escalation?.checks.map(({ check, candidates: [model] }) => [check.rung, model?.name]);
  return requestKey({
    keyId,
    dialect,
    operation,
    selection: [
      selected.name,
      selected.id,
      selected.provider.baseUrl,
      unmappable,
      profile ?? null,
      policy ?? null,
      threshold ?? null,
      decision && [decision.policy.sha256, decision.threshold, decision.artifact.sha256],
      checks ?? null,
    ],
    headers: [...names].flatMap((name) =>
      headers[name] === undefined ? [] : [[name, headers[name]] as const],
    ),
    body,
  });
}

/**
 * Only a whole reply of the selected model is kept: that of a fallback would outlive the outage. A reply whose model did not get the
 * temperature that makes it worth keeping is not kept either.
 */
function createRecorder(
  cache: ResponseCache,
  key: string,
  { memory }: GatewayRequest,
  anyTemperature: boolean,
): ReplyRecorder {
  const { maxEntryBytes } = cache.options;
  let chunks: Uint8Array[] | undefined = [];
  let isWhole = false;
  let size = 0;

  function add(chunk: Uint8Array): void {
    size += chunk.length;
    if (size > maxEntryBytes || !memory.add(chunk.length)) chunks = undefined;
    chunks?.push(chunk);
  }

  return {
    hold(reply) {
      add(reply);
      isWhole = true;
    },
    async *watch(reply) {
      for await (const chunk of reply) {
        if (chunks !== undefined) add(Uint8Array.from(chunk)); // a view would keep the buffer behind it
        yield chunk;
      }
      isWhole = true;
    },
    end(facts) {
      const { status, ended, served, selected, reason, dropped } = facts;
      if (!isWhole || chunks === undefined || status !== 200 || ended !== 'whole') return;
      if (served === undefined || served.name !== selected?.name) return;
      if (!anyTemperature && dropped?.includes('temperature')) return;
      const costUsd = totalCostUsd(facts.costUsd, facts.check);
      void cache.set(key, { body: Buffer.concat(chunks), model: served.name, reason, dropped, costUsd });
    },
  };
}

/** The selection that a kept reply came from: of a cascade it is known only afterwards which model that is. */
export function cachedSelection(selection: Selection, { model, reason }: FoundReply): Selection {
  const { ladder, chosen } = selection;
  const rung = ladder.findIndex(({ name }) => name === model);
  if (selection.escalation === undefined || rung === -1) return selection;
  return {
    ...selection,
    selected: ladder[rung]!,
    reason: reason as Selection['reason'],
    ...(chosen && { chosen: { ...chosen, rung } }),
  };
}
