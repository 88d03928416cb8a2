/** Whole replies that go out again to the very same request of the same API key. */
export { BYPASS_REASONS, type BypassReason, bypassReason, cacheDirectives } from './cacheable.ts';
export { requestKey } from './request-key.ts';
export {
  type CachedReply,
  createResponseCache,
  type FoundReply,
  type ResponseCache,
  type ResponseCacheOptions,
} from './response-cache.ts';
