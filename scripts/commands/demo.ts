import { Command } from 'commander';
import { type DemoSummary, runDemo } from '../demo/index.ts';
import { numberBetween, wholeNumberBetween } from '../flags.ts';
import { counted, dollars, print, printJson, startProgress } from '../terminal.ts';

interface Flags {
  readonly speed: number;
  readonly requests: number;
  readonly port: number;
  readonly once: boolean;
  readonly json: boolean;
}

/** An hour in a minute. */
const SPEED = 60;
const REQUESTS = 600;
/** Beside that of `serve`, so that both can run. */
const PORT = 8788;

/** `plimsoll demo`: what it looks like with traffic, before there is any. */
export function demoCommand(): Command {
  return new Command('demo')
    .option('--speed <factor>', 'how many times faster than real time', numberBetween(1, 3_600), SPEED)
    .option('--requests <count>', 'of the hour', wholeNumberBetween(1, 20_000), REQUESTS)
    .option('--port <port>', 'where it listens, on 127.0.0.1; 0 for any', wholeNumberBetween(0, 65_535), PORT)
    .option('--once', 'end when the traffic ends', false)
    .option('--json', 'print one summary, as JSON, when the traffic ends', false)
    .addHelpText(
      'after',
      `
A real server and its dashboard, with fake providers behind it and an hour of made-up requests: easy and hard ones in seven languages,
conversations, streams, feedback, failures and an outage. It needs no key and no network, and keeps nothing: its folder is a temporary
one that goes when it ends. Ctrl-C ends it.
`,
    )
    .action(run);
}

async function run({ json, ...flags }: Flags): Promise<void> {
  const ending = new AbortController();
  const onSignal = () => {
    if (ending.signal.aborted) process.exit(1);
    ending.abort();
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, onSignal);
  const progress = startProgress('An hour of made-up traffic');
  const say = (text: string) => (json ? process.stderr.write(text) : print(text));
  await runDemo({
    ...flags,
    signal: ending.signal,
    onStart: ({ url, signInLink, key }) => {
      const seconds = Math.ceil(3_600 / flags.speed);
      say(`A demonstration: made-up requests and made-up models, on this machine alone. Nothing is kept.

Dashboard:  ${url}/dashboard
Sign in:    ${signInLink}
            once, within ten minutes
Your turn:  curl ${url}/v1/chat/completions -H 'authorization: Bearer ${key}' -H 'content-type: application/json' \\
              -d '{"model":"auto","messages":[{"role":"user","content":"What is the capital of France?"}]}' -i

The hour takes ${counted(seconds, 'second')}. Ctrl-C ends it.
`);
    },
    onProgress: progress.update,
    onSummary: (summary) => {
      progress.end();
      if (json) printJson(summary);
      else print(summaryText(summary, flags.once || ending.signal.aborted));
    },
  });
}

function summaryText(summary: DemoSummary, isOver: boolean): string {
  const { requests, by_status, by_model, fallbacks, cost_usd, always_strong_usd, seconds } = summary;
  const list = (counts: Readonly<Record<string, number>>) =>
    Object.entries(counts)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ');
  return `
${counted(requests, 'request')} in ${seconds} s; by status: ${list(by_status)} (failures are staged).
Replies by model: ${list(by_model)}; ${fallbacks} by a fallback.
At made-up prices ${dollars(cost_usd)}; always the large model ${dollars(always_strong_usd)}.
${isOver ? '' : 'The server goes on, for the dashboard and for requests of yours. Ctrl-C ends it.\n'}`;
}
