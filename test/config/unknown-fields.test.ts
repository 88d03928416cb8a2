import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { loadSuite } from '../../evals/gate/suite.ts';
import { loadConfig } from '../../router/config/index.ts';
import { scratchFolder } from '../cli/run-cli.ts';

test.each([
  ['servr:\n  port: 1\n', 1, 'servr', 'server'],
  ['log_level: info\nserver:\n  host: localhost\n  prot: 1\n', 4, 'server.prot', 'port'],
  ['gateway:\n\n  # a comment\n  max_body_byte: 1\n', 4, 'gateway.max_body_byte', 'max_body_bytes'],
  ['upstream:\n  timeouts:\n    idle_m: 1\n', 3, 'upstream.timeouts.idle_m', 'idle_ms'],
  ['{"acces": {}}\n', 1, 'acces', 'access'],
])('configuration %j: the field, its line, and which may be meant', (text, line, field, meant) => {
  const file = path.join(scratchFolder(), 'c.yaml');
  writeFileSync(file, text);
  expect(() => loadConfig(file, {})).toThrow(
    expect.objectContaining({
      code: 'invalid-config',
      message: `${file}, line ${line}, field "${field}": there is no such field. Did you mean "${meant}"?`,
      place: { file, line, field },
    }),
  );
});

test('a field that is like none: those that there are', () => {
  const file = path.join(scratchFolder(), 'c.yaml');
  writeFileSync(file, 'decision_log:\n  quite_another_thing: 1\n');
  expect(() => loadConfig(file, {})).toThrow(
    /line 2, .* there is no such field\. There are .*"include_prompt".*\.$/,
  );
});

test.each([
  ['name: x\nmax_quality_los: 0.03\n', 2, 'max_quality_los', 'max_quality_loss'],
  [
    'name: x\nmax_quality_loss: 0.03\nslices:\n  - name: a\n    max_quality_los: 1\n',
    5,
    'slices.0.max_quality_los',
    'max_quality_loss',
  ],
  ['nam: x\nmax_quality_loss: 0.03\n', 1, 'nam', 'name'],
])('suite %j: the field, its line, and which may be meant', (text, line, field, meant) => {
  const file = path.join(scratchFolder(), 's.yaml');
  writeFileSync(file, text);
  expect(() => loadSuite(file)).toThrow(
    `The suite ${file}, line ${line}, field "${field}": there is no such field. Did you mean "${meant}"?`,
  );
});
