import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parseCase } from '../../evals/cases/index.ts';
import {
  type Design,
  type DesignOptions,
  design,
  designHtml,
  designText,
  mixOfCases,
  mixOfRecords,
  mixOfShares,
  parseModels,
  parsePrices,
  pricedModels,
  type QualityRow,
  readPriors,
  readQualities,
  tasksOf,
} from '../../evals/design/index.ts';
import type { DecisionRecord } from '../../router/records/index.ts';
import { openTaskClassifier } from '../../router/tasks/index.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'plimsoll-design-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const QUALITIES: readonly QualityRow[] = [
  { model: 'small', task: 'summary', quality: 0.9, n: 2_000 },
  { model: 'large', task: 'summary', quality: 0.92, n: 2_000 },
  { model: 'small', task: 'sql', quality: 0.55, n: 2_000 },
  { model: 'large', task: 'sql', quality: 0.85, n: 2_000 },
];
const KNOWN = tasksOf(QUALITIES);
const priors = readPriors();

function options(change: Partial<DesignOptions> = {}): DesignOptions {
  return {
    mix: mixOfShares('summary=0.8,sql=0.2', '1000/200', KNOWN),
    models: pricedModels(
      [{ name: 'small' }, { name: 'large' }],
      parsePrices(['small=0.1/0.4', 'large=2/8']),
      NONE,
    ),
    qualities: QUALITIES,
    table: 'a table',
    margin: 0.03,
    priors,
    ...change,
  };
}
const NONE = { providers: {}, models: {} };

describe('a design', () => {
  it('proposes a ladder that loses half the margin, and says what it saves', () => {
    const found = design(options());
    expect(found).toMatchObject({ schema_version: 1, advice: 'route', strongest: 'large' });
    expect(found.ladder.map(({ candidate, model }) => [candidate, model])).toEqual([
      ['cheap', 'small'],
      ['strong', 'large'],
    ]);
    expect(found.policy.quality_loss.expected).toBeCloseTo(0.015, 6);
    const costs = { small: 0.00018, large: 0.0036 };
    const [cheap, strong] = found.ladder.map(({ share }) => share) as [number, number];
    expect(cheap + strong).toBeCloseTo(1, 9);
    expect(found.policy.cost_usd.expected).toBeCloseTo(cheap * costs.small + strong * costs.large, 9);
    expect(found.saved.expected).toBeCloseTo(1 - found.policy.cost_usd.expected / costs.large, 9);
    for (const { low, expected, high } of [
      found.saved,
      found.policy.quality,
      ...found.curve.map(({ quality }) => quality),
    ]) {
      expect(low).toBeLessThanOrEqual(expected);
      expect(high).toBeGreaterThanOrEqual(expected);
    }
    // It knows that nearly all of the loss is on sql: it beats a coin by far.
    expect(found.policy.above_best_mix).toBeGreaterThan(0.02);
  });

  it('is the same for the same input, as text and as a page', async () => {
    const [first, second] = [design(options()), design(options())];
    expect(second).toEqual(first);
    expect(designText(first)).toBe(designText(second));
    const page = await designHtml(first);
    expect(page).toContain('<svg');
    expect(page).not.toMatch(/<script|https?:\/\/(?!www\.w3\.org)/);
    for (const assumption of first.assumptions) expect(designText(first)).toContain(assumption);
  });

  it('is surer of qualities of the traffic itself than of those from elsewhere', () => {
    const elsewhere = QUALITIES.map((row) => ({ ...row, source: `set of ${row.task}` }));
    const requests = 1_000_000; // chance adds next to nothing
    const [own, others] = [options(), options({ qualities: elsewhere })].map((one) =>
      design({ ...one, requests }),
    ) as [Design, Design];
    const width = ({ policy: { quality } }: typeof own) => quality.high - quality.low;
    expect(width(others)).toBeGreaterThan(5 * width(own));
    expect(others.assumptions.join(' ')).toMatch(/4 of 4 qualities are from other requests/);
  });

  it('is less sure of fewer requests, by the sampling error of their mean', () => {
    const widthAt = (requests: number) => {
      const { policy, single_models, requests: of } = design(options({ requests }));
      expect(of).toBe(requests);
      const widths = [policy.quality, policy.quality_loss, single_models[0]!.quality];
      return widths.map(({ low, high }) => high - low);
    };
    const [few, many] = [widthAt(200), widthAt(1e9)];
    const { policy, single_models } = design(options());
    const [quality, alone] = [policy.quality.expected, single_models[0]!.quality.expected];
    const sampling = (p: number) => 2 * 1.96 * Math.sqrt((p * (1 - p)) / 200);
    // Independent parts: the squares of their widths add up, within the error of 400 draws.
    expect(Math.abs(few[0]! / Math.hypot(many[0]!, sampling(quality)) - 1)).toBeLessThan(0.15);
    expect(Math.abs(few[2]! / Math.hypot(many[2]!, sampling(alone)) - 1)).toBeLessThan(0.15);
    expect(few[1]!).toBeGreaterThan(1.5 * many[1]!);
    expect(design(options()).requests).toBe(1_000);
  });

  it('says that one model is enough if it is', () => {
    const alike = QUALITIES.map((row) =>
      row.model === 'small' ? { ...row, quality: row.task === 'sql' ? 0.845 : 0.917 } : row,
    );
    const found = design(options({ qualities: alike }));
    expect(found.advice).toBe('one-model');
    expect(found.sentence).toMatch(/^small alone is expected to be good enough/);
  });

  it('says that routing does not pay if it does not', () => {
    const models = pricedModels(
      [{ name: 'small' }, { name: 'large' }],
      parsePrices(['small=1.9/7.9', 'large=2/8']),
      NONE,
    );
    const found = design(options({ models }));
    expect(found).toMatchObject({ advice: 'keep' });
    expect(found.sentence).toMatch(/^Routing is not expected to pay/);
  });

  it('takes a third rung if it is worth it', () => {
    const middle: QualityRow[] = [
      { model: 'middle', task: 'summary', quality: 0.915, n: 2_000 },
      { model: 'middle', task: 'sql', quality: 0.845, n: 2_000 },
    ];
    const models = pricedModels(
      ['small', 'middle', 'large'].map((name) => ({ name })),
      parsePrices(['small=0.05/0.2', 'middle=0.4/1.6', 'large=4/16']),
      NONE,
    );
    const found = design(
      options({ models, qualities: [...QUALITIES, ...middle], maxRungs: 3, margin: 0.05 }),
    );
    expect(found.ladder.map(({ candidate }) => candidate)).toEqual(['cheap', 'middle', 'strong']);
    expect(found.ladder.at(-1)!.model).toBe('large');
    const two = design(options({ models, qualities: [...QUALITIES, ...middle], margin: 0.05 }));
    expect(found.policy.cost_usd.expected).toBeLessThan(two.policy.cost_usd.expected);
  });

  it('says of the cost what it says of the saving', () => {
    const { saved, policy, single_models } = design(options());
    const whole = single_models.find(({ model }) => model === 'large')!.cost_usd;
    expect(policy.cost_usd.high).toBeGreaterThan(1.2 * policy.cost_usd.low);
    for (const [one, other] of [
      ['expected', 'expected'],
      ['low', 'high'],
      ['high', 'low'],
    ] as const)
      expect(saved[one]).toBeCloseTo(1 - policy.cost_usd[other] / whole, 12);
  });

  it('calls the model that losses count against by its name, and not the best', () => {
    const found = design(options({ strongest: 'large' }));
    expect(designText(found)).toContain('does worse than large on');
    expect(designText(found)).not.toMatch(/strongest model|expected to be the best/);
  });

  it('needs more labels for a smaller margin', () => {
    const [wide, narrow] = [0.06, 0.02].map((margin) => design(options({ margin })).labels.needed);
    expect(narrow!).toBeGreaterThan(2 * wide!);
  });

  it.each<[string, Partial<DesignOptions>, RegExp]>([
    ['a margin of 0', { margin: 0 }, /The margin is 0\. It must be above 0 and below 1/],
    ['a margin of 1', { margin: 1 }, /The margin is 1/],
    ['no number for a margin', { margin: Number.NaN }, /The margin is NaN/],
    ['no requests', { requests: 0 }, /The forecast is for 0 requests\. It must be a whole number, 1 or more/],
    ['a confidence of 1', { confidence: 1 }, /The confidence is 1/],
    [
      'one model',
      { models: [{ name: 'small' }] },
      /two models or more to choose from, and there is one: small/,
    ],
    ['one model twice', { models: ['a', 'b', 'a'].map((name) => ({ name })) }, /a stands twice/],
    [
      'models without prices',
      { models: [{ name: 'small' }, { name: 'large' }] },
      /The price of small is not known\. Give it by --price small=/,
    ],
    [
      'a model that nothing is known of',
      { models: [{ name: 'small' }, { name: 'p/larg' }] },
      /Nothing can be said of p\/larg: it is not in a table\. The nearest that it knows is large\. Give .* --qualities FILE/,
    ],
    ['a strongest model that is none', { strongest: 'huge' }, /which is not among the models: small, large/],
    [
      'requests of unknown length',
      { mix: mixOfShares('sql=1', undefined, KNOWN) },
      /How long requests of sql .* Give --tokens sql=400\/120/,
    ],
    [
      'a strongest model that is the cheapest',
      { strongest: 'small' },
      /Losses are to count against small \(--strong\), and none of the models costs less/,
    ],
  ])('refuses %s', (_, change, message) => {
    expect(() => design(options(change))).toThrow(message);
  });
});

describe('a mix by shares', () => {
  it.each<[string, string, string | undefined, RegExp]>([
    [
      'shares that add up to less',
      'sql=0.3,summary=0.4',
      '1/1',
      /--share adds up to 0\.7, and must to 1\. Add what is left, such as other=0\.3/,
    ],
    ['shares that add up to more', 'sql=0.8,summary=0.4', '1/1', /adds up to 1\.2.* Lower the shares/],
    ['an unknown task', 'sq=1', '1/1', /--share: the task "sq" is not known\. Did you mean "sql"\?/],
    ['a share below 0', 'sql=-1', '1/1', /sql=-1 is no share/],
    ['no number', 'sql=many', '1/1', /sql=many is no share/],
    ['no task', '0.5,sql=0.5', '1/1', /"0\.5" has no task/],
    ['a task twice', 'sql=0.5,sql=0.5', '1/1', /names sql twice/],
    ['tokens that are none', 'sql=1', '400', /must be the mean tokens of a request and of its reply/],
    ['a request of no tokens', 'sql=1', '0/250', /must be the mean tokens of a request and of its reply/],
    ['tokens of another task', 'sql=1', 'summary=1/1', /--tokens: the task "summary" is in no --share/],
    ['tokens of some tasks alone', 'sql=0.5,summary=0.5', 'sql=1/1', /--tokens says nothing of summary/],
  ])('refuses %s', (_, shares, tokens, message) => {
    expect(() => mixOfShares(shares, tokens, KNOWN)).toThrow(message);
  });

  it('takes thirds that were rounded', () => {
    const { tasks } = mixOfShares('sql=0.333,summary=0.333,maths=0.333', '1/1', KNOWN);
    expect(tasks.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 12);
  });
});

describe('models and prices', () => {
  it('have the prices of the table unless one is stated', () => {
    const models = parseModels('openai/gpt-4o-mini,big=openai/gpt-4o');
    const [mini, big] = pricedModels(models, parsePrices(['big=1/2']), NONE);
    expect(mini).toMatchObject({ name: 'openai/gpt-4o-mini', price: { inputUsd: 0.15, outputUsd: 0.6 } });
    expect(big).toMatchObject({
      name: 'openai/gpt-4o',
      knownAs: 'big',
      price: { inputUsd: 1, outputUsd: 2 },
    });
  });

  it.each<[string, () => unknown, RegExp]>([
    ['a price without a model', () => parsePrices(['0.1/0.2']), /--price: "0\.1\/0\.2" must be a model and/],
    [
      'a label twice',
      () => parseModels('small=a/x,small=b/y'),
      /--models: the label "small" is given twice, for a\/x and for b\/y/,
    ],
    ['an empty model', () => parseModels('a,,b'), /--models: "" is no model/],
    [
      'a price of no model',
      () => pricedModels([{ name: 'small' }], parsePrices(['smal=1/1']), NONE),
      /--price: "smal" is none of the models\. Did you mean "small"\?/,
    ],
  ])('refuse %s', (_, make, message) => expect(make).toThrow(message));
});

describe('a table of qualities', () => {
  const file = (name: string, text: string) => {
    const place = path.join(folder, name);
    writeFileSync(place, text);
    return place;
  };

  it('is read from CSV and from JSON Lines alike', async () => {
    const csv = file('q.csv', 'model,task,quality,n,cost_usd\nsmall,sql,0.5,100,0.001\n');
    const json = file(
      'q.jsonl',
      '{"model":"small","task":"sql","quality":0.5,"n":100,"cost_usd":0.001,"source":null}\n',
    );
    const row = { model: 'small', task: 'sql', quality: 0.5, n: 100, costUsd: 0.001 };
    expect(await readQualities(csv)).toEqual([row]);
    expect(await readQualities(json)).toEqual([row]);
  });

  it.each([
    [
      'a quality above 1',
      'model,task,quality,n\na,sql,50,100\n',
      /, line 2: quality: must be a number from 0 to 1/,
    ],
    ['no n', 'model,task,quality\na,sql,0.5\n', /, line 2: n: must be the number of requests/],
    [
      'an unknown column',
      'model,task,quality,n,cost\na,sql,0.5,9,1\n',
      /, line 2: has no field cost; remove it/,
    ],
    [
      'a row twice',
      'model,task,quality,n\na,sql,0.5,9\na,sql,0.6,9\n',
      /, line 3: a has a quality for sql in line 2 already/,
    ],
    ['no row', 'model,task,quality,n\n', /it has no row/],
  ])('refuses %s', async (name, text, message) => {
    await expect(readQualities(file(`${name.replaceAll(' ', '-')}.csv`, text))).rejects.toThrow(message);
  });
});

describe('a mix of what is recorded', async () => {
  const classifier = await openTaskClassifier();
  const record = (change: Partial<DecisionRecord>) =>
    ({ status: 200, usage: { input_tokens: 100, output_tokens: 50 }, ...change }) as DecisionRecord;
  async function* records(...all: DecisionRecord[]) {
    yield* all;
  }

  it('counts tasks that clients named, else predicted ones, with their tokens', async () => {
    const mix = await mixOfRecords(
      records(
        record({ task: 'sql', usage: { input_tokens: 300, output_tokens: 10 } as DecisionRecord['usage'] }),
        record({ predicted_task: { task: 'summary', probability: 0.9 } }),
        record({ task: 'billing', predicted_task: { task: 'summary', probability: 0.9 } }),
        record({}),
        record({ status: 502 }),
      ),
      classifier,
      KNOWN,
    );
    expect(mix).toMatchObject({
      from: 'decisions',
      requests: 4,
      tasks: [
        { task: 'summary', share: 0.5, inputTokens: 100, outputTokens: 50 },
        { task: 'other', share: 0.25 },
        { task: 'sql', share: 0.25, inputTokens: 300, outputTokens: 10 },
      ],
    });
    expect(mix.notes.join(' ')).toMatch(
      /2 of 4 requests is predicted.*1 of 4 requests name no task.*1 that were refused/,
    );
  });

  it('refuses no request, and none with tokens', async () => {
    await expect(mixOfRecords(records(record({ status: 429 })), classifier, KNOWN)).rejects.toThrow(
      /no recorded request to count: 1 were refused/,
    );
    await expect(
      mixOfRecords(records({ reason: 'x' } as unknown as DecisionRecord), classifier, KNOWN),
    ).rejects.toThrow(/None of 1 recorded requests says how many tokens/);
  });

  it('of labelled cases has their shares, qualities and costs', () => {
    const cases = Array.from({ length: 10 }, (_, i) =>
      parseCase(
        {
          id: `${i}`,
          prompt: i < 5 ? `Question ${i}` : `Translate into French: good morning ${i}`,
          ...(i < 5 && { task: 'sql' }),
          outcomes: { small: { quality: i % 2, cost_usd: 0.001 }, large: { quality: 1, cost_usd: 0.01 } },
        },
        `${i}`,
      ),
    );
    const { mix, qualities } = mixOfCases(cases, ['small', 'large'], classifier);
    expect(mix.tasks).toEqual([
      { task: 'sql', share: 0.5 },
      { task: 'translation', share: 0.5 },
    ]);
    expect(qualities).toContainEqual({ model: 'small', task: 'sql', quality: 0.4, n: 5, costUsd: 0.001 });
    expect(mix.notes).toEqual(['The task of 5 of 10 cases is predicted from their text.']);
  });

  it('of labelled cases takes tokens that they do not say', () => {
    const cases = Array.from({ length: 4 }, (_, i) =>
      parseCase(
        {
          id: `${i}`,
          prompt: `Question ${i}`,
          task: i < 2 ? 'sql' : 'chat',
          outcomes: { small: { quality: 0 }, large: { quality: 1 } },
        },
        `${i}`,
      ),
    );
    const tasks = (tokens: string) => mixOfCases(cases, ['small', 'large'], undefined, tokens).mix.tasks;
    const all = { inputTokens: 400, outputTokens: 120 };
    expect(tasks('400/120')).toMatchObject([all, all]);
    expect(tasks('sql=400/120')).toEqual([
      { task: 'chat', share: 0.5 },
      { task: 'sql', share: 0.5, ...all },
    ]);
    expect(() => tasks('maths=1/1')).toThrow(/--tokens: the task "maths" is of no labelled case/);
  });
});
