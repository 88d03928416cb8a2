import { createInterface } from 'node:readline/promises';
import { nearestName } from '../../router/nearest-name.ts';
import {
  type Answers,
  proposedModels,
  providerAt,
  providersWithKeys,
  STARTS,
  type Start,
  USES,
  type Use,
  type WantedProvider,
  wantedProvider,
  whyNoModel,
  whyNoVariable,
} from './answers.ts';

/** A provider's list of models, as `<provider>/<model>`; empty if it has none, or why it could not be had. */
export type ListModels = (provider: WantedProvider) => Promise<readonly string[] | string>;

/** The answers that were given beforehand, by flags: they are not asked for. */
export type Given = Partial<Answers>;

interface Terminal {
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
}

const USE_WORDS: Readonly<Record<Use, string>> = {
  chat: 'people in a chat or an application, who wait for a reply',
  agents: 'agents with tools, over many turns',
  batch: 'work in the background, where nobody waits',
};
const START_WORDS: Readonly<Record<Start, string>> = {
  measure: 'send all to the strong model as now, and measure what routing would save',
  route: 'route at once, without a promise for your models until you gate your own labels',
};

/** What an answer means, or why it is to be given again. */
type Read<T> = (answer: string) => { readonly value: T } | { readonly again: string };
type Ask = <T>(question: string, proposed: string | undefined, read: Read<T>) => Promise<T>;

/** Asks what is not given: providers, two models, use, margin, start. An empty answer takes what is proposed; a wrong one is asked again. */
export async function askAnswers(
  given: Given,
  env: NodeJS.ProcessEnv,
  { input, output }: Terminal,
  listModels: ListModels = async () => [],
): Promise<Answers> {
  const lines = createInterface({ input, output });
  const ask: Ask = async (question, proposed, read) => {
    for (;;) {
      const hint = proposed === undefined ? '' : ` [${proposed}]`;
      const answer = (await lines.question(`${question}${hint} `)).trim();
      const found = read(answer === '' && proposed !== undefined ? proposed : answer);
      if ('value' in found) return found.value;
      output.write(`${found.again}\n`);
    }
  };
  try {
    const providers = given.providers ?? (await askProviders(ask, env));
    const isAsked = given.cheap === undefined || given.strong === undefined;
    const listed = isAsked ? await modelLists(providers, listModels, output) : [];
    const proposed = listedPair(proposedModels(providers), listed);
    const modelIn = modelAnswer(providers, listed);
    const forms = providers.map(({ name }) => `${name}/<model>`).join(' or ');
    const form = listed.length === 0 ? forms : `its number or ${forms}`;
    const cheap = given.cheap ?? (await ask(`The cheap model, as ${form}?`, proposed?.cheap, modelIn));
    const strong =
      given.strong ??
      (await ask('The strong model, which you trust with everything?', proposed?.strong, modelIn));
    const use = given.use ?? (await askOne(ask, 'What is it for?', USES, USE_WORDS));
    const margin = given.margin ?? (await ask(MARGIN_QUESTION, '0.02', marginIn));
    const start = given.start ?? (await askOne(ask, 'How shall it begin?', STARTS, START_WORDS));
    return { providers, cheap, strong, use, margin, start };
  } finally {
    lines.close();
  }
}

/** More are not shown, and can be named all the same. */
const SHOWN_MODELS = 40;

/** Asks each provider, which is free of charge, and shows what it has with numbers. What cannot be listed is told, and names are taken as they are. */
async function modelLists(
  providers: readonly WantedProvider[],
  listModels: ListModels,
  output: NodeJS.WritableStream,
): Promise<readonly string[]> {
  const lists = await Promise.all(providers.map(listModels));
  const listed = lists.flatMap((list) => (typeof list === 'string' ? [] : list));
  for (const why of lists) if (typeof why === 'string') output.write(`${why}\n`);
  if (listed.length === 0) return [];
  const shown = listed.slice(0, SHOWN_MODELS).map((model, i) => `  ${i + 1} ${model}\n`);
  const more = listed.length - shown.length;
  output.write(`The models of your providers:\n${shown.join('')}${more > 0 ? `  and ${more} more\n` : ''}`);
  return listed;
}

/** What is proposed must be on the list, where there is one. */
function listedPair(proposed: ReturnType<typeof proposedModels>, listed: readonly string[]): typeof proposed {
  if (proposed === undefined || listed.length === 0) return proposed;
  return listed.includes(proposed.cheap) && listed.includes(proposed.strong) ? proposed : undefined;
}

/** A number of the list, or a name. A name that its provider does not list is a slip. */
function modelAnswer(providers: readonly WantedProvider[], listed: readonly string[]): Read<string> {
  return (answer) => {
    const numbered = /^\d+$/.test(answer) ? listed[Number(answer) - 1] : undefined;
    const model = numbered ?? answer;
    const why = whyNoModel(model, providers);
    if (why !== undefined) return { again: why };
    const [provider] = model.split('/');
    const ofProvider = listed.filter((one) => one.startsWith(`${provider}/`));
    if (ofProvider.length === 0 || ofProvider.includes(model.replace(/@[a-z]+$/, '')))
      return { value: model };
    const near = nearestName(model, ofProvider);
    return {
      again: `${provider} has no model "${model.slice(provider!.length + 1)}".${near === undefined ? '' : ` Did you mean ${near}?`}`,
    };
  };
}

const MARGIN_QUESTION =
  'Once you have labels: how much quality may be lost on average, of 1? 0.02 is two more wrong replies in a hundred.';

function marginIn(answer: string): ReturnType<Read<number>> {
  const value = Number(answer.replace(',', '.'));
  return value > 0 && value < 1 ? { value } : { again: 'It must be above 0 and below 1, such as 0.02.' };
}

async function askProviders(ask: Ask, env: NodeJS.ProcessEnv): Promise<readonly WantedProvider[]> {
  const found = providersWithKeys(env);
  if (found.length === 0) {
    const provider = await ask<WantedProvider>(
      'No key of a known provider is in the environment. The address of an OpenAI-compatible API, such as http://localhost:11434/v1?',
      undefined,
      (answer) => {
        const value = providerAt(answer);
        return typeof value === 'string' ? { again: value } : { value };
      },
    );
    const keyVariable = await ask<string>('The environment variable that has its key?', 'none', (answer) => {
      const why = answer === 'none' ? undefined : whyNoVariable(answer);
      return why === undefined ? { value: answer } : { again: why };
    });
    return [keyVariable === 'none' ? provider : { ...provider, keyVariable }];
  }
  const names = found.map(({ kind }) => kind).join(',');
  return ask<readonly WantedProvider[]>(
    'Which providers, of those whose keys were found?',
    names,
    (answer) => {
      const wanted = answer.split(/[,\s]+/).filter((name) => name !== '');
      const value = found.filter(({ kind }) => wanted.includes(kind)).map(wantedProvider);
      return value.length > 0 && value.length === new Set(wanted).size
        ? { value }
        : { again: `Name some of ${names}.` };
    },
  );
}

function askOne<Name extends string>(
  ask: Ask,
  question: string,
  names: readonly Name[],
  words: Readonly<Record<Name, string>>,
): Promise<Name> {
  const list = names.map((name, i) => `\n  ${i + 1} ${name}: ${words[name]}`).join('');
  return ask<Name>(`${question}${list}\n`, '1', (answer) => {
    const value = names.find((name, i) => answer === name || answer === String(i + 1));
    return value === undefined ? { again: `Write a number from 1 to ${names.length}.` } : { value };
  });
}
