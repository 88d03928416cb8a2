import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadCases, questionKey } from '../../evals/cases/index.ts';
import { fixture, imported, qualities } from './imported.ts';

describe('routellm', () => {
  it('reads True and False of each MMLU model, and rejects what is neither', async () => {
    const { rows, summary } = await imported('routellm', ['mmlu_knots.csv']);
    expect(rows[0]).toEqual({
      id: 'routellm-mmlu-knots-0',
      source: 'routellm',
      task: 'mmlu/knots',
      prompt: 'Which knot makes a fixed loop?\nA. Reef\nB. Bowline\nC. Cleat\nD. Sheet bend\nAnswer:',
      outcomes: { 'small-8x7b': { quality: 1 }, 'large-1106': { quality: 1 } },
      key: questionKey('Which knot makes a fixed loop?'),
    });
    expect(rows.map(({ id }) => id)).toEqual([0, 1, 3].map((index) => `routellm-mmlu-knots-${index}`));
    expect(summary).toMatchObject({
      read: 4,
      rejected: 1,
      excluded: 0,
      models: ['large-1106', 'small-8x7b'],
    });
    expect(summary.rejects).toEqual([
      {
        file: fixture('routellm', 'mmlu_knots.csv'),
        line: 14,
        field: 'small-8x7b',
        reason: 'must be True, False or a number from 0 to 1',
      },
    ]);
  });

  it('reads GSM8K and leaves contaminated prompts out', async () => {
    const { rows, summary } = await imported('routellm', [
      'gsm8k_responses.csv',
      'contaminated_prompts.jsonl',
    ]);
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({
      id: 'routellm-gsm8k-0',
      task: 'gsm8k',
      outcomes: { 'small-8x7b': { quality: 1, output_chars: 29 }, 'large-1106': { quality: 1 } },
    });
    expect(summary).toMatchObject({ read: 2, rejected: 0, excluded: 1 });
  });

  it('refuses other tables', async () => {
    const file = fixture('routerbench', 'arc_made_test.csv');
    await expect(imported('routellm', [], { inputs: [file] })).rejects.toThrow('not a file of the format');
  });
});

describe('routellm-mtbench', () => {
  it('divides scores by ten, keeps both turns in a group and drops contaminated questions', async () => {
    const { rows, summary } = await imported('routellm-mtbench', [
      'question.jsonl',
      'judgements.jsonl',
      'contaminated_prompts.jsonl',
    ]);
    expect(rows).toHaveLength(2);
    expect(rows[1]).toMatchObject({
      id: 'routellm-mtbench-901-t2',
      task: 'mtbench/writing/turn2',
      group: 'mtbench-901',
      prompt: 'Make it shorter.',
      context: 'Write a note to the harbour master.',
      outcomes: { 'large-1106': { quality: 1 }, 'small-8x7b': { quality: 0.4 } },
    });
    expect(summary).toMatchObject({ rejected: 1, excluded: 1 });
    expect(summary.rejects[0]).toMatchObject({ line: 6, field: 'score' });
  });
});

describe('mmlu-pro', () => {
  it('puts models of both file names together; no letter found is a wrong answer', async () => {
    const { rows, summary } = await imported('mmlu-pro', [
      'model_outputs_Small-3_1-8B-Instruct_5shots.json',
      'large-4o/nautical_result.json',
    ]);
    expect(rows.map(qualities)).toEqual([
      { 'Small-3_1-8B-Instruct': 1, 'large-4o': 0 },
      { 'Small-3_1-8B-Instruct': 0, 'large-4o': 1 },
    ]);
    expect(rows[0]).toMatchObject({
      id: 'mmlupro-70',
      task: 'mmlu_pro/nautical',
      prompt: 'Which of these is a halyard for?\nA. To hoist\nB. To steer\nC. To anchor',
    });
    expect(summary.rejects).toMatchObject([
      { line: 3, field: 'answer', reason: 'no option has this letter' },
    ]);
  });

  it('says when a name does not contain the model', async () => {
    await expect(
      imported('mmlu-pro', [], { inputs: ['eval_results/business_result.json'] }),
    ).rejects.toMatchObject({
      code: 'invalid-input',
      message: expect.stringContaining('which model answered'),
    });
  });
});

describe('zeroeval', () => {
  it('grades numbers and texts by the repository’s rules', async () => {
    const tasks = ['gsm', 'math-l5', 'numersense-v2', 'crux'];
    const files = tasks.flatMap((task) => ['small-8b', 'large-70b'].map((model) => `${task}/${model}.json`));
    const { rows, summary } = await imported('zeroeval', files);
    expect(rows.map((row) => [row['id'], ...Object.values(qualities(row))])).toEqual([
      ['zeroeval-gsm8k-gsm-made-#0', 1, 1],
      ['zeroeval-math-l5-0', 0, 1],
      ["zeroeval-numersense-v2-0#('13.11', '13.8')", 0, 1],
      ['zeroeval-crux-crux-made-#0', 0, 1],
      ['zeroeval-crux-crux-made-#1', 0, 1],
    ]);
    expect(rows[1]).toMatchObject({ prompt: 'How many miles is $7$ knots in an hour?' });
    expect(summary).toMatchObject({ models: ['large-70b', 'small-8b'], read: 10, rejected: 0 });
  });

  it('rejects tasks that cannot be graded from the file', async () => {
    const { summary } = await imported('zeroeval', ['zebra-grid/small-8b.json', 'gsm/small-8b.json']);
    expect(summary.rejects).toMatchObject([{ line: 1, field: 'dataset' }]);
  });
});

describe('llmrouter', () => {
  it('takes task and options of a question from the query files', async () => {
    const { rows, summary } = await imported('llmrouter', ['train.json', 'default_query_train.jsonl']);
    expect(rows[0]).toMatchObject({
      task: 'mmlu',
      split: 'train',
      prompt: "Which light is on the starboard side?\nA. red\nB. sailor's green",
      outcomes: { 'small-7b': { quality: 0 }, 'large-51b': { quality: 1 } },
    });
    expect(rows[1]).toMatchObject({ task: 'mbpp', prompt: 'Write a function to add two tides.' });
    expect(summary.rejects).toMatchObject([{ line: 3, field: 'scores.small-7b' }]);
  });

  it('puts the lines of routing data together, with tokens and time', async () => {
    const { rows } = await imported('llmrouter', ['default_routing_train_data.jsonl']);
    expect(rows).toHaveLength(1);
    expect(rows[0]?.['outcomes']).toEqual({
      'small-7b': { quality: 0, input_tokens: 40, output_tokens: 3, latency_ms: 500 },
      'large-51b': { quality: 1, input_tokens: 41, output_tokens: 4, latency_ms: 1250 },
    });
  });
});

describe('routerbench', () => {
  it('reads Python lists, costs and missing answers; worked examples are left out', async () => {
    const { rows, summary } = await imported('routerbench', ['arc_made_test.csv']);
    expect(rows[0]).toMatchObject({
      id: 'routerbench-arc-made.test.1',
      task: 'arc-made',
      split: 'test',
      prompt: "Which is the ship's kitchen?\nA) galley\nB) head",
      outcomes: {
        'small/7b-chat': { quality: 0, cost_usd: 4.62e-5, output_chars: 1 },
        'large-1106': { quality: 1, cost_usd: 0.01091, output_chars: 1 },
      },
    });
    expect(qualities(rows[1])).toEqual({ 'large-1106': 1 });
    expect(rows[1]).toMatchObject({ prompt: 'Write a function "to" count buoys.' });
    expect(summary.rejects).toMatchObject([{ line: 4, reason: expect.stringContaining('Python literal') }]);
  });
});

describe('grade-school-math', () => {
  it('reads is_correct of whatever models there are', async () => {
    const { rows, summary } = await imported('grade-school-math', ['example_model_solutions.jsonl']);
    expect(rows.map(qualities)).toEqual([{ 'gpt3-6b-finetuning': 0, 'gpt3-175b-verification': 1 }]);
    expect(summary.rejects).toMatchObject([{ line: 2, field: '6b_finetuning' }]);
  });
});

describe('csv and jsonl', () => {
  it.each(['wide.csv', 'long.csv'])('writes %s so that the same cases come back', async (name) => {
    const file = fixture('..', `cases/${name}`);
    const { summary } = await imported('csv', [], { inputs: [file] });
    const [before, after] = [await loadCases([file]), await loadCases([summary.out])];
    const plain = ({ turns: _, ...one }: (typeof before.cases)[number]) => one;
    expect(after.cases.map(plain)).toEqual(before.cases.map(plain));
  });

  it('writes JSON Lines so that the same cases come back', async () => {
    const file = fixture('..', 'cases/six.jsonl');
    const { summary } = await imported('jsonl', [], { inputs: [file] });
    expect((await loadCases([summary.out])).cases).toEqual((await loadCases([file])).cases);
  });

  it('keep who gave a label, what a judge had said, and how the request was drawn', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'plimsoll-labels-')), 'labels');
    const row = { id: 'a', prompt: 'One?', sampling_probability: 0.5, label_plan: 'b'.repeat(64) };
    const human = { quality: 80, label_source: 'human', judged_quality: 1 };
    const judge = { quality: 100, label_source: 'judge' };
    writeFileSync(`${file}.jsonl`, JSON.stringify({ ...row, outcomes: { small: human, large: judge } }));
    const outcomes = ['small', 'large'].flatMap((model) =>
      ['quality', 'label_source', 'judged_quality'].map((name) => `${model}.${name}`),
    );
    writeFileSync(
      `${file}.csv`,
      `${[...Object.keys(row), ...outcomes].join()}\n${Object.values(row).join()},80,human,1,100,judge,\n`,
    );
    for (const format of ['jsonl', 'csv']) {
      const { summary } = await imported(format, [], {
        inputs: [`${file}.${format}`],
        qualityScale: { kind: 'range', low: 0, high: 100 },
      });
      const [one] = (await loadCases([summary.out], { keepWeights: true })).cases;
      expect(one).toMatchObject({ weight: 2, labelPlan: row.label_plan });
      expect([...one!.outcomes]).toEqual([
        ['small', { quality: 0.8, labelSource: 'human', judgedQuality: 0.01 }],
        ['large', { quality: 1, labelSource: 'judge' }],
      ]);
    }
  });
});
