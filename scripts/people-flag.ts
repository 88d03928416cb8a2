import { type Command, InvalidArgumentError, Option } from 'commander';
import { ladderRungs } from '../evals/gate/index.ts';
import type { Rung } from '../router/artifact/index.ts';
import { UsageError } from './usage-error.ts';

export interface PeopleFlag {
  readonly people?: ReadonlyMap<string, GivenQuality>;
}

type GivenQuality = NonNullable<Rung['given']>;

/** For commands that read labels: what the operator says about people, whose replies are in no data. */
export function addPeopleFlag(command: Command): Command {
  return command.addOption(
    new Option(
      '--people <model=quality[,usd]>',
      'a candidate of the ladder that people answer for: its quality, 0 to 1, and what a reply costs, by your word in place of labels; may be given again',
    ).argParser((text: string, others: PeopleFlag['people'] = new Map()) => givenIn(text, others)),
  );
}

function givenIn(text: string, others: NonNullable<PeopleFlag['people']>): PeopleFlag['people'] {
  const [, model = '', quality = '', cost] = /^(.+)=([\d.]+)(?:,([\d.]+))?$/.exec(text) ?? [];
  const [q, usd] = [Number(quality || Number.NaN), cost === undefined ? undefined : Number(cost)];
  if (!(q >= 0 && q <= 1) || (usd !== undefined && !Number.isFinite(usd))) {
    throw new InvalidArgumentError(
      'Write <model>=<quality 0 to 1>[,<US dollars a reply>], such as human/support=0.95,2.4.',
    );
  }
  if (others.has(model)) throw new InvalidArgumentError(`${model} is given twice.`);
  return new Map([...others, [model, { quality: q, ...(usd !== undefined && { cost_usd: usd }) }]]);
}

/** The ladder of the flags, with what is given of people. */
export function rungsFrom(models: readonly string[], { people = new Map() }: PeopleFlag): Rung[] {
  const ladder = ladderRungs(models);
  const unknown = [...people.keys()].find((model) => !models.includes(model));
  if (unknown !== undefined)
    throw new UsageError(
      `--people names ${unknown}, which is not among the candidates: ${models.join(', ')}.`,
    );
  return ladder.map((rung) => {
    const given = people.get(rung.model);
    return given === undefined ? rung : { ...rung, given };
  });
}
