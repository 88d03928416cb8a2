import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LADDERS } from '../../scripts/clients/client.ts';
import { CLIENT_KEY, idOf, type LadderGateway, startLadder } from './ladder-gateway.ts';

/**
 * The last request of a client's task with a tool, as `npm run clients` sees it, its texts replaced and its tools cut: of programs, and of
 * libraries that do not run on the oldest Node.
 */
interface Recorded {
  readonly client: string;
  readonly version: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, unknown>>;
}

const FOLDERS = ['clients', 'responses'].map((name) => new URL(`../fixtures/${name}/`, import.meta.url));
const RECORDED = FOLDERS.flatMap((folder) =>
  readdirSync(folder).map((file) => {
    const recorded: Recorded = JSON.parse(readFileSync(new URL(file, folder), 'utf8'));
    return { name: file.replace('.json', ''), recorded };
  }),
);

const MODELS = [...new Set(LADDERS.flatMap(({ cheap, strong }) => [cheap, strong]))];

/** What a provider itself refuses in its own dialect, where bytes pass: the client's part. */
const REFUSED: Readonly<Record<string, RegExp>> = {
  // Asks again without it.
  'claude-code anthropic/claude-haiku-4-5': /role 'system' is not supported/,
};

describe.each(MODELS)('%s takes what clients send', (model) => {
  let running: LadderGateway;
  beforeAll(async () => {
    running = await startLadder(LADDERS[0]!, { turns: [], text: '{"name":"Ada"}' });
  });
  afterAll(() => running.close());

  test.each(RECORDED)('$name $recorded.version', async ({ name, recorded }) => {
    running.asked();
    const response = await fetch(`${running.url}${recorded.path}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${CLIENT_KEY}`,
        ...recorded.headers,
      },
      body: JSON.stringify({ ...recorded.body, model }),
    });
    const text = await response.text();
    const refusal = REFUSED[`${name} ${model}`];
    if (refusal !== undefined) {
      expect(response.status).toBe(400);
      expect(text).toMatch(refusal);
      return;
    }
    expect(text).toContain('Ada');
    expect(response.status).toBe(200);
    expect(running.asked()).toEqual([idOf(model)]);
  });
});
