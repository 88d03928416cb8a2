import { createHash } from 'node:crypto';
import { type Json, objects } from './json.ts';

/** Tokens of one prompt by what a provider's cache did with them; together they are the whole prompt. */
export interface CachedPrompt {
  readonly fresh: number;
  readonly read: number;
  readonly written5m: number;
  readonly written1h: number;
}

/** How many blocks before a mark are looked at for something that was cached earlier. */
const LOOKBACK = 20;
const CHARACTERS_PER_TOKEN = 4;

/** One block of a prompt, with all that is before it. */
interface Prefix {
  /** Hash of the model and of all blocks up to here, without their marks. */
  readonly hash: string;
  readonly tokens: number;
  /** How long it is to be kept, if it is marked. */
  readonly ttl: '5m' | '1h' | undefined;
}

/**
 * A provider's prompt cache by Anthropic's rules: tools, then system, then messages are one sequence of blocks; what is before a mark is
 * kept, and read by a later request that begins with the same blocks and marks one of them, or one up to 20 blocks later. Nothing expires,
 * and there is no shortest prompt. https://platform.claude.com/docs/en/build-with-claude/prompt-caching
 */
export class PromptCache {
  readonly #known = new Set<string>();

  /** Takes a body of /messages in, and says what was read and written. */
  use(body: Json): CachedPrompt {
    const prefixes = prefixesOf(body);
    const marked = [...prefixes.keys()].filter((at) => prefixes[at]!.ttl !== undefined);
    const read = Math.max(-1, ...marked.map((at) => this.#lastKnown(prefixes, at)));
    const readTokens = prefixes[read]?.tokens ?? 0;
    const written = { '5m': 0, '1h': 0 };
    let done = readTokens;
    for (const at of marked) {
      const { hash, tokens, ttl } = prefixes[at]!;
      this.#known.add(hash);
      if (tokens <= done) continue;
      written[ttl!] += tokens - done;
      done = tokens;
    }
    const all = prefixes.at(-1)?.tokens ?? 0;
    return { fresh: all - done, read: readTokens, written5m: written['5m'], written1h: written['1h'] };
  }

  #lastKnown(prefixes: readonly Prefix[], mark: number): number {
    for (let at = mark; at >= Math.max(0, mark - LOOKBACK); at--) {
      if (this.#known.has(prefixes[at]!.hash)) return at;
    }
    return -1;
  }
}

function prefixesOf(body: Json): Prefix[] {
  const messages = objects(body['messages']).flatMap(({ role, content }) =>
    blocksOf(content).map((block) => ({ role, ...block })),
  );
  const blocks: readonly Json[] = [...objects(body['tools']), ...blocksOf(body['system']), ...messages];
  let hash = String(body['model']);
  let tokens = 0;
  return blocks.map(({ cache_control: mark, ...block }) => {
    const text = JSON.stringify(block);
    hash = createHash('sha256').update(hash).update(text).digest('hex');
    tokens += Math.ceil(text.length / CHARACTERS_PER_TOKEN);
    const ttl = mark == null ? undefined : (mark as Json)['ttl'] === '1h' ? '1h' : '5m';
    return { hash, tokens, ttl };
  });
}

function blocksOf(content: unknown): readonly Json[] {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : objects(content);
}
