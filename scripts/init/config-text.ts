import { Document, Scalar } from 'yaml';
import { shippedProviders } from '../../router/catalog/index.ts';
import { COMMAND } from '../../router/package.ts';
import type { Answers, WantedProvider } from './answers.ts';

/** Fields of the answers: those of a configuration that there is already do not count. */
const DECIDED = ['artifact', 'ladder', 'default_policy', 'score_always', 'allow_ungated'];
const WITH_ANSWERS = ['providers', 'models'];

/**
 * The configuration for the answers, with a comment on each part. Keys stand in it by the names of their variables alone.
 * @param flag what a command needs to read this file, such as ` --config a.yaml`
 */
export function configText(answers: Answers, flag = ''): string {
  const { margin, start, use, configured = {} } = answers;
  const kept = Object.entries(configured).filter(([name]) => ![...DECIDED, ...WITH_ANSWERS].includes(name));
  const dropped = DECIDED.filter((name) => configured[name] !== undefined && name !== 'ladder');
  const isNew = (name: string) => configured[name] === undefined;
  const models = modelsOf(answers);
  const parts = [
    `# Configuration of Plimsoll. Every field: docs/CONFIGURATION.md. Check it: ${COMMAND} doctor${flag} --online`,
    section('Whom Plimsoll calls. Keys stay in the environment.', {
      providers: { ...(configured['providers'] as object | undefined), ...providersOf(answers.providers) },
    }),
    ...(Object.keys(models).length === 0 ? [] : [modelsText(models, answers)]),
    section('Requests for the model "auto" go to one of these.', { ladder: ladderOf(answers) }),
    start === 'measure' ? MEASURE : ROUTE,
    floors(margin),
    ...(isNew('decision_log')
      ? [
          section('Each request is recorded, without its text: plimsoll plan and the dashboard read it.', {
            decision_log: { to: 'state' },
          }),
        ]
      : []),
    ...(isNew('capture') ? [CAPTURE] : []),
    ...(use === 'agents' ? [hasPrices(models, answers) ? PRICED : PINNED] : []),
    ...(use === 'batch'
      ? [section('Nobody waits: a late model is waited for, not replaced.', { latency: { class: 'batch' } })]
      : []),
    ...(kept.length === 0
      ? []
      : [section('Taken over from the configuration that there was.', Object.fromEntries(kept))]),
    ...(dropped.length === 0
      ? []
      : [`# Not taken over, since they were for the ladder that there was: ${dropped.join(', ')}.`]),
  ];
  return `${parts.join('\n\n')}\n`;
}

const MEASURE = `# Day one changes nothing: all of it goes to the strong model, and each request is scored. After some days
#   ${COMMAND} plan --from state --config routed.yaml
# says what routing would have done; routed.yaml is this file without the next two lines.
default_policy: always-strong
score_always: true
# The artifact that ships has its PASS for other models than yours, so nothing is promised of its scores until you gate your own
# (docs/FIRST-SAVING.md).
allow_ungated: true`;

const ROUTE = `# The artifact that ships has its PASS for other models than yours: it routes, and every decision says that nothing is promised. With
# labels of your own traffic (docs/FIRST-SAVING.md) this line goes.
allow_ungated: true`;

const PRICED = `# A conversation stays on the stronger model until the cheaper one saves more than its prompt cache is worth.
sessions: { stickiness: priced }`;

const PINNED = `# A conversation stays on its model. With prices of all models, priced in place of pinned weighs what its prompt cache is worth.
sessions: { stickiness: pinned }`;

type Models = Readonly<Record<string, { readonly price?: object }>>;

/** Those that were configured, those whose price was stated, and those that the price table does not know: without a name here they are no models. */
function modelsOf({ configured = {}, prices = {}, ...answers }: Answers): Models {
  const written = (configured['models'] ?? {}) as Models;
  const named = [...Object.keys(prices), ...unpriced({ configured, ...answers })];
  const added = named.map((model) => {
    const price = prices[model];
    return [model, { ...written[model], ...(price !== undefined && { price }) }];
  });
  return { ...written, ...Object.fromEntries(added) };
}

/** Whether the price of every model is known. */
function hasPrices(models: Models, answers: Answers): boolean {
  return unpriced(answers).every((model) => models[model]?.price !== undefined);
}

function modelsText(models: Models, answers: Answers): string {
  const text = yamlOf({ models });
  if (hasPrices(models, answers))
    return `# US dollars for a million tokens, and what else is not as the price table has it.\n${text}`;
  return `# Of models without a price nothing is known. With prices in US dollars for a million tokens, such as { price: { input: 0.10, output: 0.40 } } in place
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

function ladderOf({ cheap, strong, between }: Pick<Answers, 'cheap' | 'strong' | 'between'>) {
  return { cheap, ...between, strong };
}

/** Models of the ladder that the price table does not know. */
function unpriced(answers: Answers): string[] {
  const { providers, configured = {} } = answers;
  const written = (configured['providers'] ?? {}) as Readonly<Record<string, { readonly kind: string }>>;
  return Object.values(ladderOf(answers)).filter((model) => {
    const at = model.indexOf('/');
    const provider = model.slice(0, at);
    const kind = providers.find(({ name }) => name === provider)?.kind ?? written[provider]?.kind;
    const known = shippedProviders().find((one) => one.kind === kind)?.models ?? [];
    return !known.some(({ id }) => id === model.slice(at + 1));
  });
}
