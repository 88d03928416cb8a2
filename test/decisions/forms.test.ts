import { describe, expect, it } from 'vitest';
import { matchDecisions } from '../../evals/decisions/index.ts';
import { LADDER, promptOf, threeCases, written } from './decision-world.ts';

const cases = threeCases();
const CHOSEN = ['small', 'large', 'small'];
const rows = <T>(row: (i: number, model: string) => T): T[] => CHOSEN.map((model, i) => row(i, model));
const messages = (i: number) => [
  { role: 'system', content: 'Be brief.' },
  { role: 'user', content: promptOf(i) },
];
const quoted = (value: unknown) => `"${JSON.stringify(value).replaceAll('"', '""')}"`;

/** What LiteLLM writes into its table of spend logs; without stored prompts `messages` is `{}`. */
const spendLog = (i: number, model: string) => ({
  request_id: `chatcmpl-${i}`,
  call_type: 'acompletion',
  spend: 0.001,
  model,
  model_group: 'auto',
  messages: {},
  proxy_server_request: { model: 'auto', messages: messages(i) },
  status: 'success',
});

const arena = (i: number, prediction: string, more: object = {}) => ({
  'global index': `case-${i}`,
  prompt: `Please answer.\n\n${promptOf(i)}`,
  prediction,
  generated_result: null,
  cost: null,
  accuracy: null,
  ...more,
});

const generation = (i: number, model: string) => ({
  id: `case-${i}`,
  model,
  provider_name: 'Infermatic',
  total_cost: 0.0015,
  router: 'openrouter/auto',
});

const FILES: readonly (readonly [string, string, string, string | readonly unknown[]])[] = [
  ['ids', 'plimsoll', 'd.jsonl', rows((i, model) => ({ id: `case-${i}`, model }))],
  ['ids, compressed', 'plimsoll', 'd.jsonl.gz', rows((i, model) => ({ id: `case-${i}`, model }))],
  [
    'keys in an array',
    'plimsoll',
    'd.json',
    JSON.stringify(rows((i, model) => ({ key: cases[i]!.key, model }))),
  ],
  ['prompts', 'plimsoll', 'd.jsonl', rows((i, model) => ({ prompt: promptOf(i), model }))],
  ['messages', 'plimsoll', 'd.jsonl', rows((i, model) => ({ messages: messages(i), model }))],
  [
    'prompts in other words of the same question',
    'plimsoll',
    'd.jsonl',
    rows((i, model) => ({ prompt: `Question: ${promptOf(i).toUpperCase()}\nAnswer:`, model })),
  ],
  [
    'ids of a log beside prompts of the cases',
    'plimsoll',
    'd.jsonl',
    rows((i, model) => ({ id: `log-${i}`, prompt: promptOf(i), model })),
  ],
  ['a table', 'plimsoll', 'd.csv', `id,cost,model\n${rows((i, model) => `case-${i},,${model}\n`).join('')}`],
  [
    'tab-separated',
    'plimsoll',
    'd.tsv',
    `model\tid\n${rows((i, model) => `${model}\tcase-${i}\n`).join('')}`,
  ],
  [
    'predictions',
    'routerarena',
    'd.json',
    JSON.stringify(
      rows((i, model) => arena(i, model)),
      null,
      2,
    ),
  ],
  [
    'predictions with rows for optimality',
    'routerarena',
    'd.json',
    JSON.stringify([
      ...rows((i, model) => arena(i, model, { for_optimality: false })),
      arena(0, 'large', { for_optimality: true }),
      arena(0, 'another', { for_optimality: true }),
    ]),
  ],
  ['spend logs', 'litellm', 'd.jsonl', rows(spendLog)],
  ['spend logs as the API gives them', 'litellm', 'd.json', JSON.stringify(rows(spendLog))],
  [
    'spend logs as a table of a database',
    'litellm',
    'd.csv',
    `request_id,call_type,model,proxy_server_request\n${rows((i, model) => `r-${i},acompletion,${model},${quoted({ messages: messages(i) })}\n`).join('')}`,
  ],
  [
    'standard payloads, with a call that failed and was tried elsewhere',
    'litellm',
    'd.jsonl',
    [
      { id: 'x', call_type: 'completion', model: 'large', messages: messages(0), status: 'failure' },
      ...rows((i, model) => ({
        id: `l-${i}`,
        trace_id: 't',
        call_type: 'completion',
        model,
        messages: messages(i),
        status: 'success',
      })),
    ],
  ],
  [
    'an export of activity',
    'openrouter',
    'd.csv',
    `generation_id,created_at,cost_total,model_permaslug,variant\n${rows((i, model) => `case-${i},2026-06-28 03:46:57,0.01,${model},free\n`).join('')}`,
  ],
  [
    'generations as the API gives them',
    'openrouter',
    'd.jsonl',
    rows((i, model) => ({ data: generation(i, model) })),
  ],
  ['generations alone', 'openrouter', 'd.jsonl', rows(generation)],
  [
    'generations without a provider',
    'openrouter',
    'd.jsonl',
    rows((i, model) => ({ data: { ...generation(i, model), provider_name: i === 1 ? 'A' : null } })),
  ],
  [
    'generations alone without a provider',
    'plimsoll',
    'd.json',
    JSON.stringify(rows((i, model) => ({ ...generation(i, model), provider_name: undefined }))),
  ],
];

describe('a file of decisions', () => {
  it.each(FILES)('%s: read as %s', async (_, form, name, content) => {
    const file = written(name, content);
    const read = await matchDecisions({ file, cases, ladder: LADDER });
    expect(read.form.name).toBe(form);
    expect([...read.rungs]).toEqual([0, 1, 0]);
    expect(read.unknown).toBe(0);
    expect(read.sha256).toMatch(/^[0-9a-f]{64}$/);
  });

  it('counts rows that are no decisions', async () => {
    const skipped = async (wanted: string) => {
      const [, , name, content] = FILES.find(([what]) => what.startsWith(wanted))!;
      const read = await matchDecisions({ file: written(name, content), cases, ladder: LADDER });
      return [read.rows, read.skipped];
    };
    expect(await skipped('predictions with')).toEqual([5, 2]);
    expect(await skipped('standard payloads')).toEqual([4, 1]);
    expect(await skipped('ids')).toEqual([3, 0]);
  });

  it.each([
    [
      'columns of a table',
      'd.csv',
      `request,chosen\n${rows((i, model) => `case-${i},${model}\n`).join('')}`,
      'id=request,model=chosen',
    ],
    [
      'paths in JSON',
      'd.jsonl',
      rows((i, chosen) => ({ request: { text: promptOf(i) }, route: { chosen } })),
      'prompt=request.text,model=route.chosen',
    ],
  ] as const)('with other names: %s', async (_, name, content, map) => {
    const columns = new Map(map.split(',').map((part) => part.split('=') as [string, string]));
    const read = await matchDecisions({ file: written(name, content), cases, ladder: LADDER, columns });
    expect([...read.rungs]).toEqual([0, 1, 0]);
  });
});
