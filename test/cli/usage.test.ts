import { describe, expect, it } from 'vitest';
import { VERSION } from '../../router/package.ts';
import { sampled } from '../helpers/long-run.ts';
import { cli, expectRefusal } from './run-cli.ts';

const COMMANDS = [
  'serve',
  'init',
  'route',
  'assess',
  'train',
  'calibrate',
  'label',
  'audit',
  'review',
  'gate',
  'retrain',
  'loop',
  'worker',
  'plan-labels',
  'plan',
  'design',
  'inspect',
  'tasks',
  'artifacts',
  'profiles',
  'promote',
  'rollback',
  'sign',
  'keys',
  'import',
  'experiment',
  'dashboard',
  'budget',
  'state',
  'prices',
  'rules',
  'doctor',
  'demo',
  'init',
  'completion',
];

const PAIR = ['--cheap', 'a', '--strong', 'b'];
const train = (...flags: string[]) => ['train', '--data', 'x.jsonl', '--out', 'models/x', ...flags];

describe('plimsoll', () => {
  it.each(sampled(COMMANDS))('%s --help: the text on stdout, 0', async (command) => {
    const { code, stdout, stderr } = await cli([command, '--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(new RegExp(`^Usage: plimsoll ${command} `));
  });

  it('--help names every command, and --version the version', async () => {
    const { code, stdout } = await cli(['--help']);
    expect(code).toBe(0);
    for (const command of COMMANDS) expect(stdout).toMatch(new RegExp(`^ {2}${command} `, 'm'));
    expect(await cli(['--version'])).toMatchObject({ code: 0, stdout: `${VERSION}\n`, stderr: '' });
  });

  it('without a command: the help on stderr, 2', async () => {
    const { code, stdout, stderr } = await cli([]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^Usage: plimsoll /);
  });

  it.each(
    sampled([
      ['a command that there is not', ['asess'], /unknown command 'asess' \(Did you mean assess\?\)/],
      [
        'a flag that there is not',
        ['inspect', 'x', '--jsn'],
        /unknown option '--jsn' \(Did you mean --json\?\)/,
      ],
      [
        'an argument given as a flag',
        ['inspect', '--artifact', 'x'],
        /artifact is given without a flag: plimsoll inspect \[options\] <artifact>/,
      ],
      ['the same, with =', ['inspect', '--artifact=x'], /artifact is given without a flag/],
      [
        'the same, of a subcommand',
        ['keys', 'revoke', '--id', 'x'],
        /id is given without a flag: plimsoll keys revoke \[options\] <id>/,
      ],
      [
        'a slip in a flag that is needed',
        ['gate', '--suit', 'x'],
        /unknown option '--suit' \(Did you mean --suite\?\)/,
      ],
      [
        'the same, of a subcommand',
        ['keys', 'create', '--nam', 'x'],
        /unknown option '--nam' \(Did you mean --name\?\)/,
      ],
      ['a flag after --', ['inspect', '--', '--artifact', 'x'], /too many arguments for 'inspect'/],
      ['design without a mix', ['design', '--models', 'a,b'], /Name the mix once: labelled cases by --data/],
      [
        'design with two mixes',
        ['design', '--models', 'a,b', '--share', 'sql=1', '--data', 'x.jsonl'],
        /Name the mix once/,
      ],
      [
        'design with tokens of a log',
        ['design', '--models', 'a,b', '--from', 'x.jsonl', '--tokens', '1/1'],
        /--tokens goes with --share/,
      ],
      ['train without --data', ['train'], /'--data <file\.\.\.>' not specified/],
      ['inspect without an artifact', ['inspect'], /missing required argument 'artifact'/],
      ['a prompt without quotes', ['route', 'two', 'words'], /too many arguments for 'route'/],
      [
        'a share above 1',
        ['train', '--escalation-rate', '1.5'],
        /'1\.5' is invalid\. It must be a number from 0 to 1/,
      ],
      [
        'a loss below 0',
        ['train', '--max-quality-loss', '-0.1'],
        /'-0\.1' is invalid\. It must be a number from 0 to 1/,
      ],
      ['a cheap model alone', train('--cheap', 'a'), /--cheap MODEL --strong MODEL, or --ladder/],
      ['one model twice', train('--cheap', 'a', '--strong', 'a'), /two models, and both name a\./],
      ['a ladder of one', train('--ladder', 'a'), /--ladder takes two or more models/],
      ['a ladder beside a pair', train(...PAIR, '--ladder', 'a,b'), /Give --ladder, or --cheap and --strong/],
      [
        'labels without a budget',
        ['label', ...'--from x --models p/a,p/b --judge q/j --out y'.split(' ')],
        /Name the most that may be spent: --budget 20usd/,
      ],
      [
        'two rules',
        train(...PAIR, '--escalation-rate', '0.5', '--max-quality-loss', '0.1'),
        /--escalation-rate sets a share and promises no quality/,
      ],
      [
        'a promise of certainty',
        train(...PAIR, '--confidence', '1'),
        /The confidence must be at least \.5 and below 1, not 1/,
      ],
      ['an unknown encoder', train('--encoder', 'word2vec'), /no encoder 'word2vec'\. Choose static, minilm/],
      [
        'a time that is none',
        train(...PAIR, '--created', 'yesterday'),
        /--created must be an ISO time .* not "yesterday"/,
      ],
      [
        'two margins',
        ['plan-labels', ...'--artifact x --prompts y --out z --margin 0.1 --suite s'.split(' ')],
        /both set the margin/,
      ],
      [
        'a format that there is not',
        ['import', 'routelm', 'x', '--out', 'y'],
        /no format routelm\. Did you mean routellm\?/,
      ],
      ['one fold', ['train', '--folds', '1'], /a whole number from 2 to 20/],
    ]),
  )('%s: one line on stderr, 2', async (_, args, message) => {
    const ended = await cli(args);
    expectRefusal(ended, message, 2);
    expect(ended.stderr.trim().split('\n')).toHaveLength(1);
    expect(ended.stderr).toMatch(/ Add --help for the options\.\n$/);
  });
});
