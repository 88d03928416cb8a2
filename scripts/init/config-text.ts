import { Document, Scalar } from 'yaml';
import { shippedProviders } from '../../router/catalog/index.ts';
import type { Answers, WantedProvider } from './answers.ts';

/** The configuration for the answers, with a comment on each part. Keys stand in it by the names of their variables alone. */
export function configText(answers: Answers): string {
  const { margin, start, use } = answers;
  const parts = [
    '# Configuration of Plimsoll. Every field: docs/CONFIGURATION.md. Check it: plimsoll doctor --online',
    section('Whom Plimsoll calls. Keys stay in the environment.', {
      providers: providersOf(answers.providers),
    }),
    ...(unpriced(answers).length === 0 ? [] : [unknownModels(unpriced(answers), answers.prices)]),
    section('Requests for the model "auto" go to one of these.', { ladder: ladderOf(answers) }),
    start === 'measure' ? MEASURE : ROUTE,
    floors(margin),
    section('Each request is recorded, without its text: plimsoll plan and the dashboard read it.', {
      decision_log: { to: 'state' },
    }),
    CAPTURE,
    ...(use === 'agents'
      ? [
          section(
            'A conversation stays on the stronger model until the cheaper one saves more than its prompt cache is worth.',
            { sessions: { stickiness: 'priced' } },
          ),
        ]
      : []),
    ...(use === 'batch'
      ? [section('Nobody waits: a late model is waited for, not replaced.', { latency: { class: 'batch' } })]
      : []),
  ];
  return `${parts.join('\n\n')}\n`;
}

const MEASURE = `# Day one changes nothing: all of it goes to the strong model, and each request is scored. After some days
#   plimsoll plan --from state --config routed.yaml
# says what routing would have done; routed.yaml is this file without the next two lines.
default_policy: always-strong
score_always: true
# The artifact that ships has its PASS for other models than yours, so nothing is promised of its scores until you gate your own
# (docs/FIRST-SAVING.md).
allow_ungated: true`;

const ROUTE = `# The artifact that ships has its PASS for other models than yours: it routes, and every decision says that nothing is promised. With
# labels of your own traffic (docs/FIRST-SAVING.md) this line goes.
allow_ungated: true`;

/** Models that the price table does not know must be named, or they are no models. */
function unknownModels(models: readonly string[], prices: Answers['prices'] = {}): string {
  const entries = models.map((model) => [model, prices[model] === undefined ? {} : { price: prices[model] }]);
  const text = yamlOf({ models: Object.fromEntries(entries) });
  if (models.every((model) => prices[model] !== undefined))
    return `# US dollars for a million tokens, of models that the price table does not know.\n${text}`;
  return `# Nothing is known of these models. With prices in US dollars for a million tokens, such as { price: { input: 0.10, output: 0.40 } } in place
# of {}, savings and budgets are counted.
${text}`;
}

function floors(margin: number): string {
  return `# The quality that may be lost on average, of 1, with 95 % confidence: max_quality_loss: ${margin} in the suite by which you gate your own
# artifact. With the next line nothing that allows more serves; the artifact that ships was gated at 0.05.
# gate: { max_quality_loss: ${margin} }`;
}

const CAPTURE = `# Some requests are kept with their text, redacted, for labels (docs/CAPTURE.md).
# capture: { share: 0.01, include: prompt+reply }`;

function section(comment: string, value: object): string {
  const lines = comment.match(/.{1,116}(?:\s|$)/g) ?? [comment];
  return `${lines.map((line) => `# ${line.trim()}`).join('\n')}\n${yamlOf(value)}`;
}

/** Names that look like something else to YAML come out quoted. */
function yamlOf(value: object): string {
  const document = new Document(value);
  return document
    .toString({ flowCollectionPadding: true, lineWidth: 0, defaultStringType: Scalar.PLAIN })
    .trimEnd();
}

/** As the configuration has them. */
export function providersOf(providers: readonly WantedProvider[]) {
  return Object.fromEntries(
    providers.map(({ name, kind, baseUrl, keyVariable }) => [
      name,
      {
        kind,
        ...(baseUrl !== undefined && { base_url: baseUrl }),
        ...(keyVariable !== undefined && { api_key_env: keyVariable }),
      },
    ]),
  );
}

function ladderOf({ cheap, strong, between }: Answers) {
  return { cheap, ...between, strong };
}

/** Models that the price table does not know. */
function unpriced({ providers, ...answers }: Answers): string[] {
  return Object.values(ladderOf({ providers, ...answers })).filter((model) => {
    const at = model.indexOf('/');
    const kind = providers.find(({ name }) => name === model.slice(0, at))?.kind;
    const known = shippedProviders().find((one) => one.kind === kind)?.models ?? [];
    return !known.some(({ id }) => id === model.slice(at + 1));
  });
}
