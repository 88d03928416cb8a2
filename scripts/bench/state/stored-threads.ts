import { randomUUID } from 'node:crypto';
import { openState } from '../../../router/state/index.ts';
import { createThreads } from '../../../router/threads/index.ts';
import { type DatabasePlace, type DocumentRow, openRawDatabase } from './raw-database.ts';

const ROWS_PER_INSERT = 3_000;
/** The API key that all threads belong to. */
export const SCOPE = 'bench-key';

/** A stored thread: the ids of its responses, the oldest first. */
export type StoredThread = readonly string[];

interface StoredThreads {
  readonly threads: number;
  /** Responses in each. */
  readonly turns: number;
  /** What is said in them. */
  readonly texts: readonly string[];
}

/** Fills an empty database with threads. The documents are those that `Threads.keep` writes, inserted many at a time. */
export async function storeThreads(
  place: DatabasePlace,
  { threads, turns, texts }: StoredThreads,
): Promise<readonly StoredThread[]> {
  const state = await openState({ ...place, migrate: 'auto' });
  await state.close(); // it made the tables
  const database = await openRawDatabase(place);
  const rows: DocumentRow[] = [];
  const store = createThreads({
    ...NOTHING_ELSE,
    async put({ scope, kind, id }, { value, ttlMs = 0 }) {
      const version = randomUUID();
      rows.push({ scope, kind, id, version, value: JSON.stringify(value), expires_ms: Date.now() + ttlMs });
      return version;
    },
  });
  const textOf = (thread: number, turn: number) => String(texts[(thread * 7 + turn) % texts.length]);
  const stored: string[][] = [];
  try {
    for (let thread = 0; thread < threads; thread++) {
      const ids: string[] = [];
      for (let turn = 0; turn < turns; turn++) {
        const id = newId('resp');
        const origin = { previousResponseId: ids.at(-1), conversationId: undefined, ancestors: [...ids] };
        const added = [message('user', 'input_text', textOf(thread, turn))];
        const response = responseOf(id, textOf(thread, turn + 1));
        await store.keep({ ...origin, added, body: {} }, response, SCOPE);
        ids.push(id);
      }
      stored.push(ids);
      if (rows.length >= ROWS_PER_INSERT) await database.insert(rows.splice(0));
    }
    await database.insert(rows);
    await database.analyze();
  } finally {
    await database.close();
  }
  return stored;
}

/** What keeping a response does not use. */
const NOTHING_ELSE = {
  get: unused,
  getMany: unused,
  delete: unused,
  list: unused,
  erase: unused,
  prune: unused,
};

async function unused(): Promise<never> {
  throw new Error('Keeping a response writes and does nothing else.');
}

function newId(prefix: string): string {
  return `${prefix}_${randomUUID().replaceAll('-', '')}`;
}

function message(role: string, type: string, text: string) {
  const content = [{ type, text, ...(role === 'assistant' && { annotations: [], logprobs: [] }) }];
  return { type: 'message', id: newId('msg'), status: 'completed', role, content };
}

/** With the fields that OpenAI sends. */
function responseOf(id: string, text: string) {
  return {
    id,
    object: 'response',
    created_at: 1_764_000_000,
    status: 'completed',
    background: false,
    error: null,
    incomplete_details: null,
    instructions: null,
    max_output_tokens: null,
    max_tool_calls: null,
    model: 'gpt-5-mini-2025-08-07',
    output: [message('assistant', 'output_text', text)],
    parallel_tool_calls: true,
    prompt_cache_key: null,
    reasoning: { effort: 'medium', summary: null },
    safety_identifier: null,
    service_tier: 'default',
    temperature: 1,
    text: { format: { type: 'text' }, verbosity: 'medium' },
    tool_choice: 'auto',
    tools: [],
    top_logprobs: 0,
    top_p: 1,
    truncation: 'disabled',
    usage: {
      input_tokens: 64,
      input_tokens_details: { cached_tokens: 0 },
      output_tokens: 64,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: 128,
    },
    user: null,
    metadata: {},
  };
}
