import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { expect, test } from 'vitest';
import { parse, parseDocument } from 'yaml';
import { loopCommand } from '../../scripts/commands/loop.ts';
import { planCommand } from '../../scripts/commands/plan.ts';

interface Workflow {
  readonly jobs: Readonly<Record<string, { readonly steps: readonly Step[] }>>;
}

interface Step {
  readonly run?: string;
  readonly uses?: string;
  readonly with?: object;
}

const read = (file: string) => readFileSync(fileURLToPath(new URL(`../../${file}`, import.meta.url)), 'utf8');

function workflow(file: string): Workflow {
  const document = parseDocument(read(file));
  expect(document.errors).toEqual([]);
  return document.toJS() as Workflow;
}

/** Reads a workflow and gives its command the flags that it runs it with: they must exist, and none may be missing. */
function parsed(name: string, command: Command): Command {
  const { jobs } = workflow(`examples/github-actions/plimsoll-${name}.yml`);
  const script = Object.values(jobs)
    .flatMap(({ steps }) => steps.flatMap(({ run }) => run ?? []))
    .join('\n');
  const line =
    new RegExp(`npx plimsoll ${name} ((?:.|\\\\\\n)*?) >`).exec(script)?.[1]?.replaceAll('\\\n', ' ') ?? '';
  const { unknown } = command.exitOverride().parseOptions(line.trim().split(/\s+/));
  expect(unknown).toEqual([]);
  for (const option of command.options.filter(({ mandatory }) => mandatory))
    expect(line, option.long ?? '').toContain(`${option.long} `);
  return command;
}

test('the workflow of the weekly round is YAML, and its command has flags that there are, and all that are needed', () => {
  expect(parsed('loop', loopCommand()).opts()).toMatchObject({
    promote: true,
    budget: 20,
    folder: 'gate/loop',
  });
});

test('so is that of the plan', () => {
  expect(parsed('plan', planCommand()).opts()).toMatchObject({
    from: ['state'],
    since: 7 * 86_400_000,
    format: 'markdown',
  });
});

// Nothing here checks the rest of a workflow: actionlint and the schema of workflows are not at hand.
test('the workflow of the gate gives the action inputs that there are, and all that are needed', () => {
  const { jobs } = workflow('examples/github-actions/plimsoll-gate.yml');
  const { inputs, outputs } = parse(read('action.yml')) as {
    readonly inputs: Readonly<Record<string, { readonly required?: boolean }>>;
    readonly outputs: object;
  };
  const step = jobs['gate']?.steps.find(({ uses }) => uses?.startsWith('OWNER/plimsoll@'));
  const given = Object.keys(step?.with ?? {});
  expect(given.filter((name) => !(name in inputs))).toEqual([]);
  expect(Object.keys(inputs).filter((name) => inputs[name]!.required && !given.includes(name))).toEqual([]);
  const used = JSON.stringify(jobs).matchAll(/steps\.gate\.outputs\.([\w-]+)/g);
  for (const [, name] of used) expect(Object.keys(outputs)).toContain(name);
});

test('the workflow that publishes the documentation builds the site by a script that there is, and uploads what it wrote', () => {
  const { jobs } = workflow('.github/workflows/docs.yml');
  const steps = jobs['build']!.steps;
  const { scripts } = JSON.parse(read('package.json')) as {
    readonly scripts: Readonly<Record<string, string>>;
  };
  const [, script, out] = steps
    .flatMap(({ run }) => /^npm run --silent (\S+) -- --out (\S+)$/.exec(run ?? '') ?? [])
    .slice(0, 3);
  expect(scripts).toHaveProperty(script!);
  const upload = steps.find(({ uses }) => uses?.startsWith('actions/upload-pages-artifact@'));
  expect(upload?.with).toEqual({ path: out });
  expect(jobs['deploy']!.steps.map(({ uses }) => uses)).toEqual([
    expect.stringMatching(/^actions\/deploy-pages@v\d+$/),
  ]);
});
