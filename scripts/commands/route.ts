import { Command } from 'commander';
import { requirementsOf } from '../../router/catalog/index.ts';
import { contributionsOf, nearestWords } from '../../router/classifier/index.ts';
import { createRouter } from '../../router/create-router.ts';
import { PlimsollError } from '../../router/errors.ts';
import { scoredText } from '../../router/prompt/index.ts';
import { requestTags, requestTask } from '../../router/request-tags.ts';
import type { Explained } from '../../router/router.ts';
import { type ConfigFlags, configFromFlags } from '../config-flags.ts';
import { print, printJson } from '../terminal.ts';

interface Flags extends ConfigFlags {
  readonly tags?: string;
  readonly task?: string;
  readonly profile?: string;
  readonly explain: boolean;
  readonly json: boolean;
}

export function routeCommand(): Command {
  return new Command('route')
    .argument('[text]', 'what is asked; read from stdin where it is left out')
    .option('--config <file>', 'configuration (default: plimsoll.config.yaml where it exists)')
    .option('--artifact <folder>', 'the artifact that decides')
    .option(
      '--policy <name>',
      "the artifact's own policy or always-strong; ungated also always-cheap and the configuration's",
    )
    .option('--allow-ungated', 'let decide what has no valid PASS of the gate')
    .option('--tags <list>', 'tags of the request, for rules: team-a,batch')
    .option('--task <name>', 'its task, for rules')
    .option('--profile <name>', 'the profile that decides')
    .option('--explain', 'show what made the score', false)
    .option('--json', 'print the decision as JSON', false)
    .addHelpText(
      'after',
      '\nExamples:\n  plimsoll route "Translate good morning into French"\n  plimsoll route --explain < question.txt\n',
    )
    .action(run);
}

async function run(argument: string | undefined, flags: Flags): Promise<void> {
  const prompt = argument ?? (await promptOnStdin());
  const router = await createRouter(configFromFlags(flags));
  try {
    const named = flags.profile === undefined ? {} : { profile: flags.profile };
    router.check(named);
    const task = requestTask(undefined, flags.task);
    const traits = {
      model: undefined,
      isExplicit: false,
      task,
      tags: requestTags(flags.tags),
      keyId: undefined,
      headers: {},
      text: () => scoredText({ prompt }),
      needs: () => requirementsOf({ messages: [{ role: 'user', content: prompt }] }, 'openai'),
    };
    const options = router.ruled(traits, { ...named, ...(task !== undefined && { task }) });
    const decided = flags.explain
      ? await router.explain({ prompt }, options)
      : { decision: await router.route({ prompt }, options), explanation: null };
    if (!flags.json) return print(decisionLines(decided));
    const { decisionJson, explainedJson } = await import('../../router/server/index.ts'); // loads Express
    printJson(flags.explain ? explainedJson(decided) : decisionJson(decided.decision));
  } finally {
    await router.close();
  }
}

/** Parts of the sum that are shown to a person; --json has all. */
const SHOWN = 12;

function decisionLines({ decision, explanation }: Explained): string {
  const { candidate, model, reason, predictedLoss, threshold, policy, artifact, scores } = decision;
  const { profile, verdict, ungatedReason, expectedLoss, rule, predictedTask: predicted } = decision;
  const lines = [
    `${candidate} (${model}): ${reason}`,
    ...(profile === undefined ? [] : [`profile ${profile}`]),
    ...(rule === undefined ? [] : [`rule ${rule}`]),
    ...(predicted === undefined
      ? []
      : [`task ${predicted.task}, predicted with probability ${predicted.probability.toFixed(2)}`]),
    ...(predictedLoss === null || threshold === null
      ? []
      : [
          `predicted loss ${predictedLoss.toFixed(4)}, threshold ${threshold.toFixed(4)}${expectedLoss === undefined ? '' : `; expected loss ${expectedLoss.toFixed(4)}`}`,
        ]),
    ...Object.entries(scores ?? {}).map(
      ([name, score]) => `  ${name} good with probability ${score.toFixed(3)}`,
    ),
    `policy ${policy.name} v${policy.version}, artifact ${artifact.name} ${artifact.sha256.slice(0, 12)}, verdict ${verdict}${ungatedReason === null ? '' : ` (${ungatedReason})`}`,
  ];
  for (const [name, parts] of Object.entries(explanation ?? {})) {
    const named = contributionsOf(parts);
    lines.push(
      '',
      `${name}: logit ${parts.logit.toFixed(3)} = ${parts.intercept.toFixed(3)} for the average text, and`,
    );
    for (const { part, contribution } of named.slice(0, SHOWN)) {
      lines.push(`  ${contribution < 0 ? '' : '+'}${contribution.toFixed(4)}  ${part}`);
    }
    const rest = named.slice(SHOWN).reduce((total, { contribution }) => total + contribution, 0);
    if (named.length > SHOWN)
      lines.push(`  ${rest < 0 ? '' : '+'}${rest.toFixed(4)}  ${named.length - SHOWN} smaller parts`);
    if (parts.neighbours?.similar === false)
      lines.push(
        `  nothing similar was labelled: the nearest case lies below a similarity of ${parts.neighbours.leastSimilarity!.toFixed(2)}`,
      );
    for (const near of parts.neighbours?.nearest ?? []) {
      lines.push(
        `  similarity ${near.similarity.toFixed(2)}, quality ${near.quality.toFixed(2)}: ${nearestWords(near)}`,
      );
    }
  }
  return `${lines.join('\n')}\n`;
}

/** Far beyond any prompt, so that an endless stream ends with a message. */
const MOST_BYTES = 32 * 2 ** 20;

/**
 * All of stdin as text. Read as a stream: a synchronous read fails if the other end has set the pipe non-blocking.
 * @throws PlimsollError `too-large` beyond 32 MiB, `io` if stdin cannot be read.
 */
async function promptOnStdin(stdin: AsyncIterable<Buffer> = process.stdin): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of stdin) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > MOST_BYTES) throw tooLarge();
    }
  } catch (cause) {
    if (cause instanceof PlimsollError) throw cause;
    throw new PlimsollError(
      'io',
      'stdin cannot be read. Pipe text into it, or give the text as an argument.',
      {
        cause,
      },
    );
  }
  return Buffer.concat(chunks).toString('utf8');
}

function tooLarge(): PlimsollError {
  return new PlimsollError(
    'too-large',
    `There is more than ${MOST_BYTES / 2 ** 20} MiB of text on stdin. Only its beginning and end would be scored: send those.`,
  );
}
