import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ladderRungs, loadGateCases, loadSuite } from '../../evals/gate/index.ts';

/** Loads ten cases with these fields for a suite that draws whole groups. */
function loading(fields: (i: number) => object, sampling = 'groups', more = '') {
  const home = mkdtempSync(path.join(tmpdir(), 'plimsoll-groups-'));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  const suite = path.join(home, 'suite.yaml');
  writeFileSync(suite, `name: made\nmax_quality_loss: 0.1\nsampling: ${sampling}\n${more}`);
  const data = path.join(home, 'data.jsonl');
  const outcomes = { small: { quality: 1 }, large: { quality: 1 } };
  const rows = Array.from({ length: 10 }, (_, i) => ({ prompt: `Question ${i}?`, outcomes, ...fields(i) }));
  writeFileSync(data, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  return loadGateCases(loadSuite(suite), ladderRungs(['small', 'large']), [data]);
}

test('groups that no row names are refused, with the column that may be meant', async () => {
  const refused = (message: RegExp) => ({ code: 'invalid-input', message: expect.stringMatching(message) });
  await expect(loading(() => ({ colour: 'red' }))).rejects.toMatchObject(
    refused(/no case has a group: each would count as drawn by itself\. Name in the field "group" what/),
  );
  for (const name of ['conversation_id', 'sessionId', 'user'])
    await expect(loading((i) => ({ colour: 'red', [name]: `${i % 3}` }))).rejects.toMatchObject(
      refused(new RegExp(`Is it ${name}, which is not read\\? Then give --map group=${name}\\.`)),
    );
  expect((await loading(() => ({}), 'requests')).cases).toHaveLength(10);
});

test('a note says how many rows have no group, where some have one', async () => {
  const group = (i: number) => (i < 7 ? { group: `${i % 3}` } : {});
  expect((await loading(group)).notes.join('\n')).toMatch(
    /3 of 10 cases have no group\. Each of them counts as a group of one/,
  );
  expect((await loading((i) => ({ group: `${i % 3}` }))).notes.join('\n')).not.toContain('no group');
  expect((await loading(group, 'requests')).notes.join('\n')).not.toContain('no group');
});

test('labels of a judge or of feedback count only if the suite says so', async () => {
  const by = (label_source?: string) => (i: number) => ({
    outcomes: {
      small: { quality: 1, label_source },
      large: { quality: 1, label_source: i < 4 ? label_source : 'human' },
    },
  });
  const accepting = (list: string) => `accept_labels: [${list}]\n`;
  for (const source of ['judge', 'feedback']) {
    await expect(loading(by(source), 'requests')).rejects.toMatchObject({
      code: 'invalid-input',
      message: expect.stringMatching(new RegExp(`10 of 10 cases have labels of the source "${source}"`)),
    });
  }
  for (const source of ['human', 'grader', undefined]) {
    const { cases, notes } = await loading(by(source), 'requests');
    expect(cases[0]?.outcomes.get('small')?.labelSource).toBe(source);
    expect(notes.join()).not.toContain('judge');
  }
  const { notes } = await loading(by('judge'), 'requests', accepting('judge, human'));
  expect(notes.join()).toMatch(
    /10 of 10 cases were labelled by a judge: the verdict is about what the judge thinks/,
  );
  await expect(loading(by('grader'), 'requests', accepting('human'))).rejects.toThrow(
    /"grader", and the suite takes human\./,
  );
  await expect(loading(by(undefined), 'requests', accepting('human'))).rejects.toThrow(/"unknown"/);
  await expect(loading(by('somebody'), 'requests')).rejects.toThrow(/label_source/);
});
