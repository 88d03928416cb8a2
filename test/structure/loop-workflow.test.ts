import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { parseDocument } from 'yaml';
import { loopCommand } from '../../scripts/commands/loop.ts';

test('the workflow of the weekly round is YAML, and its command has flags that there are, and all that are needed', () => {
  const file = fileURLToPath(new URL('../../deploy/github/plimsoll-loop.yml', import.meta.url));
  const document = parseDocument(readFileSync(file, 'utf8'));
  expect(document.errors).toEqual([]);
  const { jobs } = document.toJS() as { jobs: { round: { steps: { id?: string; run?: string }[] } } };
  const script = jobs.round.steps.find(({ id }) => id === 'loop')?.run ?? '';
  const line = /npx plimsoll loop ((?:.|\\\n)*?) >/.exec(script)?.[1]?.replaceAll('\\\n', ' ') ?? '';
  const command = loopCommand().exitOverride();
  const { unknown } = command.parseOptions(line.trim().split(/\s+/));
  expect(unknown).toEqual([]);
  for (const option of command.options.filter(({ mandatory }) => mandatory))
    expect(line, option.long ?? '').toContain(`${option.long} `);
  expect(command.opts()).toMatchObject({ promote: true, budget: 20, folder: 'gate/loop' });
});
