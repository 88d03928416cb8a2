import { Command } from 'commander';
import { modelByRule, type RuledCase, ruledCases } from '../../evals/decisions/index.ts';
import { textTable } from '../../evals/format.ts';
import { loadConfig } from '../../router/config/index.ts';
import { type ConfiguredRules, readRules } from '../../router/configured-rules.ts';
import { PlimsollError } from '../../router/errors.ts';
import { replaceFile } from '../../router/files/index.ts';
import { nearestName } from '../../router/nearest-name.ts';
import type { Rule } from '../../router/rules/index.ts';
import { print, printJson, printNotes } from '../terminal.ts';

interface TestFlags {
  readonly config?: string;
  readonly profile?: string;
  readonly json: boolean;
}

interface DecideFlags {
  readonly config?: string;
  readonly profile?: string;
  readonly out: string;
  readonly otherwise?: string;
  readonly json: boolean;
}

/** `plimsoll rules`: what the rules of the configuration do with cases. */
export function rulesCommand(): Command {
  const rules = new Command('rules');
  rules
    .command('test')
    .description('Say which rule fires for each case, and which never do')
    .argument('<cases...>', 'cases, labelled or not')
    .option('--config <file>', 'has the rules (default: plimsoll.config.yaml)')
    .option('--profile <name>', 'the rules of this profile')
    .option('--json', 'print the rule of each case as JSON', false)
    .action(runTest);
  rules
    .command('decide')
    .description('Write what the rules alone decide, for `gate --decisions`')
    .argument('<cases...>', 'cases, labelled or not')
    .requiredOption('--out <file>', 'JSON Lines with id and model')
    .option('--otherwise <rung>', 'where no rule fires (default: the strongest)')
    .option('--config <file>', 'has the rules (default: plimsoll.config.yaml)')
    .option('--profile <name>', 'the rules and the ladder of this profile')
    .option('--json', 'print the result as JSON', false)
    .addHelpText(
      'after',
      `
Examples:
  plimsoll rules test cases.jsonl
  plimsoll rules decide cases.jsonl --out chosen.jsonl
  plimsoll gate --decisions chosen.jsonl --ladder small,large --suite suite.yaml --data cases.jsonl
`,
    )
    .action(runDecide);
  return rules;
}

async function ruled(files: readonly string[], { rules }: ConfiguredRules): Promise<RuledCase[]> {
  const cases: RuledCase[] = [];
  for await (const one of ruledCases(files, rules, Date.now(), printNotes)) cases.push(one);
  return cases;
}

async function rulesOf({ config, profile }: Pick<TestFlags, 'config' | 'profile'>): Promise<ConfiguredRules> {
  const found = await readRules(loadConfig(config), Date.now(), profile);
  if (found.rules.all.length > 0) return found;
  throw new PlimsollError(
    'invalid-config',
    'The configuration has no rules. Write some under rules: (docs/RULES.md), or name another file by --config.',
  );
}

async function runTest(files: readonly string[], { json, ...which }: TestFlags): Promise<void> {
  const configured = await rulesOf(which);
  const cases = await ruled(files, configured);
  const counts = new Map<Rule | undefined, number>();
  for (const { rule } of cases) counts.set(rule, (counts.get(rule) ?? 0) + 1);
  const rows = [...configured.rules.all, undefined].map((rule) => ({
    rule: rule?.name ?? null,
    does: rule === undefined ? 'the policy decides' : actionText(rule),
    cases: counts.get(rule) ?? 0,
  }));
  const never = rows.flatMap(({ rule, cases: fired }) => (rule !== null && fired === 0 ? [rule] : []));
  if (json) {
    const fired = cases.map(({ id, rule }) => ({ id, rule: rule?.name ?? null }));
    printJson({ n: cases.length, rules: rows, never_fired: never, cases: fired });
    return;
  }
  const share = (n: number) => `${((100 * n) / cases.length).toFixed(1)} %`;
  const table = rows.map(({ rule, does, cases: n }) => [rule ?? '(no rule)', does, String(n), share(n)]);
  const last = never.length === 0 ? 'Every rule fired.' : `Never fired: ${never.join(', ')}.`;
  print(`${textTable([['rule', 'does', 'cases', 'share'], ...table])}\n${last}\n`);
}

function actionText({ action }: Rule): string {
  switch (action.kind) {
    case 'rung':
      return `use ${action.rung}`;
    case 'model':
      return `use ${action.model}`;
    case 'profile':
      return `profile ${action.profile}`;
    case 'at-least':
      return `at least ${action.rung}`;
    case 'at-most':
      return `at most ${action.rung}`;
    case 'refuse':
      return 'refuse';
  }
}

async function runDecide(files: readonly string[], flags: DecideFlags): Promise<void> {
  const { out, otherwise, json } = flags;
  const configured = await rulesOf(flags);
  const models = Object.fromEntries(configured.ladder.map(({ candidate, model }) => [candidate, model]));
  const rung = otherwise ?? configured.ladder.at(-1)!.candidate;
  if (!Object.hasOwn(models, rung)) throw noRung(rung, Object.keys(models));
  const cases = await ruled(files, configured);
  const lines = cases.map(({ id, rule }) =>
    JSON.stringify({ id, model: modelByRule(rule, models, models[rung]!) }),
  );
  replaceFile(out, `${lines.join('\n')}\n`);
  if (json) printJson({ out, n: lines.length, ladder: Object.values(models) });
  else printNotes([`Wrote ${out}: ${lines.length} decisions between ${Object.values(models).join(' < ')}`]);
}

function noRung(name: string, known: readonly string[]): PlimsollError {
  const near = nearestName(name, known);
  const hint = near === undefined ? `There are: ${known.join(', ')}.` : `Did you mean "${near}"?`;
  return new PlimsollError('invalid-input', `--otherwise: there is no rung "${name}". ${hint}`);
}
