import { PlimsollError } from '../../router/errors.ts';
import { type ColumnMap, shownName } from '../case-files/index.ts';
import { type Case, type HardCase, mostSimilar, questionKey } from '../cases/index.ts';
import type { DecisionForm, StatedDecision } from './forms.ts';
import { type DecisionFile, type DecisionRow, readDecisions } from './read-decisions.ts';

/** What a case is found by. */
type Findable = Pick<Case, 'id' | 'text'> & Partial<Pick<Case, 'key' | 'outcomes'>>;

/** How a row named the cases that were found. */
interface Found {
  readonly by: 'id' | 'key' | 'prompt';
  /** Places of the cases; more than one if several share the name. */
  readonly at: readonly number[];
}

type Index = ReadonlyMap<string, readonly number[]>;

/** Finds the cases that a row speaks of. */
class CaseFinder {
  readonly #byId: Index;
  readonly #byKey: Index;
  readonly #byText: Index;
  readonly #byQuestion: Index;

  constructor(cases: readonly Findable[]) {
    this.#byId = indexOf(cases, ({ id }) => id);
    this.#byKey = indexOf(cases, ({ key }) => key);
    this.#byText = indexOf(cases, ({ text }) => text);
    this.#byQuestion = indexOf(cases, ({ text }) => questionKey(text));
  }

  /** By id, else by key, else by the text of the prompt, else by its words; undefined if none of them is of a case. */
  find({ id, key, text }: StatedDecision): Found | undefined {
    const byId = id === undefined ? undefined : this.#byId.get(id);
    if (byId !== undefined) return { by: 'id', at: byId };
    const byKey = key === undefined ? undefined : this.#byKey.get(key);
    if (byKey !== undefined) return { by: 'key', at: byKey };
    if (text === undefined) return undefined;
    const byPrompt = this.#byText.get(text) ?? this.#byQuestion.get(questionKey(text));
    return byPrompt && { by: 'prompt', at: byPrompt };
  }
}

function indexOf(cases: readonly Findable[], nameOf: (one: Findable) => string | undefined): Index {
  const index = new Map<string, number[]>();
  for (const [at, one] of cases.entries()) {
    const name = nameOf(one);
    if (name === undefined) continue;
    const known = index.get(name);
    if (known === undefined) index.set(name, [at]);
    else known.push(at);
  }
  return index;
}

export interface MatchRequest {
  readonly file: string;
  /** Each must have a decision. */
  readonly cases: readonly Findable[];
  /** Either all of them have a decision, or none. */
  readonly hardCases?: readonly HardCase[];
  /** Models, cheapest first. */
  readonly ladder: readonly string[];
  readonly columns?: ColumnMap;
  /** Leave out decisions of which no case is known, in place of an error. */
  readonly ignoreUnknown?: boolean;
}

export interface MatchedDecisions extends DecisionFile {
  readonly form: DecisionForm;
  /** The rung of each case. Shape [n] */
  readonly rungs: Int32Array;
  /** The rung of each hard case; left out if no decision is of one. */
  readonly hardRungs?: Int32Array;
  /** Decisions of which no case is known. */
  readonly unknown: number;
}

/** So many of a kind are named. */
const SHOWN = 3;

/**
 * What was decided for each case, by a file of decisions.
 * @throws PlimsollError 'invalid-input', with file and line: a model outside the ladder, two decisions for one case, a prompt of several cases
 *   whose outcomes differ, decisions for unknown cases, cases without a decision; otherwise as readDecisions
 */
export async function matchDecisions(request: MatchRequest): Promise<MatchedDecisions> {
  const { file, cases, hardCases = [], columns, ignoreUnknown = false } = request;
  const sides = [new DecidedCases(cases, request), new DecidedCases(hardCases, request)] as const;
  const unknown: DecisionRow[] = [];
  let unknownRows = 0;
  const read = await readDecisions(file, columns, (row) => {
    const known = sides.map((side) => side.decide(row));
    if (known.includes(true)) return;
    unknownRows += 1;
    if (unknown.length < SHOWN) unknown.push(row);
  });
  if (unknownRows > 0 && !ignoreUnknown) throw unknownCases(request, unknownRows, unknown);
  const [ofCases, ofHardCases] = sides;
  ofCases.requireAll('cases');
  if (ofHardCases.decided > 0) ofHardCases.requireAll('hard cases');
  return {
    ...read,
    rungs: ofCases.rungs,
    ...(ofHardCases.decided > 0 && { hardRungs: ofHardCases.rungs }),
    unknown: unknownRows,
  };
}

const UNDECIDED = -1;

/** Cases, and what was decided for them so far. */
class DecidedCases {
  readonly rungs: Int32Array;
  decided = 0;
  readonly #cases: readonly Findable[];
  readonly #request: MatchRequest;
  readonly #finder: CaseFinder;
  /** The line of each decision. */
  readonly #lines: Uint32Array;

  constructor(cases: readonly Findable[], request: MatchRequest) {
    this.#cases = cases;
    this.#request = request;
    this.#finder = new CaseFinder(cases);
    this.rungs = new Int32Array(cases.length).fill(UNDECIDED);
    this.#lines = new Uint32Array(cases.length);
  }

  /** @returns whether the row is of one of the cases */
  decide(row: DecisionRow): boolean {
    const found = this.#finder.find(row);
    if (found === undefined) return false;
    this.#requireOne(found, row);
    const rung = this.#request.ladder.indexOf(row.model);
    if (rung === -1) throw outsideLadder(this.#request, row);
    for (const at of found.at) this.#put(at, rung, row, found);
    return true;
  }

  /** @throws PlimsollError 'invalid-input' if one has no decision */
  requireAll(what: string): void {
    const missing = this.#cases.length - this.decided;
    if (missing === 0) return;
    const { file } = this.#request;
    const first: string[] = [];
    for (let at = 0; first.length < SHOWN && at < this.rungs.length; at++) {
      if (this.rungs[at] === UNDECIDED) first.push(JSON.stringify(shownName(this.#cases[at]!.id)));
    }
    throw new PlimsollError(
      'invalid-input',
      `${file}: ${missing} of the ${this.#cases.length} ${what} have no decision. The first: ${first.join(', ')}. Add their decisions, or leave these cases out of the data if they were never sent to the router: a router that gave no decision has decided nothing, and dropping what it failed on would flatter it.`,
      { place: { file } },
    );
  }

  #put(at: number, rung: number, { place, line, model }: DecisionRow, found: Found): void {
    const before = this.rungs[at]!;
    if (before === UNDECIDED) {
      this.rungs[at] = rung;
      this.#lines[at] = line;
      this.decided += 1;
      return;
    }
    if (before === rung) return;
    const { file, ladder } = this.#request;
    const remedy =
      found.at.length > 1
        ? `${found.at.length} cases have this ${found.by}: if each was decided for itself, name it by its id.`
        : 'Keep the decision that counts, such as the last one before the reply.';
    throw new PlimsollError(
      'invalid-input',
      `${place}: the case ${JSON.stringify(shownName(this.#cases[at]!.id))} is decided twice: ${model} here, and ${ladder[before]} on line ${this.#lines[at]}. ${remedy}`,
      { place: { file, line } },
    );
  }

  /** Cases that share a name may have one decision only if it does not matter which of them is meant. */
  #requireOne({ by, at }: Found, { place, line }: DecisionRow): void {
    const [first, ...others] = at.map((one) => this.#outcomesOf(one));
    const differing = others.findIndex((outcomes) => outcomes !== first);
    if (differing === -1) return;
    const names = [at[0]!, at[differing + 1]!].map((one) => JSON.stringify(shownName(this.#cases[one]!.id)));
    throw new PlimsollError(
      'invalid-input',
      `${place}: ${at.length} cases have this ${by}, and their outcomes differ, such as ${names.join(' and ')}. Name each case by its id, in a row of its own.`,
      { place: { file: this.#request.file, line, field: by } },
    );
  }

  #outcomesOf(at: number): string {
    const { outcomes } = this.#cases[at]!;
    return JSON.stringify(this.#request.ladder.map((model) => outcomes?.get(model)?.quality ?? null));
  }
}

function outsideLadder({ file, ladder }: MatchRequest, { place, line, model }: DecisionRow): PlimsollError {
  const similar = mostSimilar(model, ladder);
  const hint = similar === undefined ? '' : ` Is it ${similar}? Then write it so.`;
  return new PlimsollError(
    'invalid-input',
    `${place}: the model ${JSON.stringify(shownName(model))} is not on the ladder, which is ${ladder.join(' < ')}.${hint} Name every model that was chosen, with --ladder, cheapest first, and give the outcomes of each.`,
    { place: { file, line, field: 'model' } },
  );
}

function unknownCases(
  { file, cases }: MatchRequest,
  count: number,
  first: readonly DecisionRow[],
): PlimsollError {
  const names = first.map(({ id, key, line }) => `${nameOf(id, key)} (line ${line})`);
  const own = cases.slice(0, SHOWN).map(({ id }) => JSON.stringify(shownName(id)));
  return new PlimsollError(
    'invalid-input',
    `${file}: ${count} ${count === 1 ? 'decision is' : 'decisions are'} of no case in the data. The first: ${names.join(', ')}; ids of cases are such as ${own.join(', ')}. Give the data with these cases, or say --ignore-unknown to leave the decisions out.`,
    { place: { file, line: first[0]!.line } },
  );
}

/** Never the prompt. */
function nameOf(id: string | undefined, key: string | undefined): string {
  if (id !== undefined) return `id ${JSON.stringify(shownName(id))}`;
  return key === undefined ? 'a prompt' : `key ${JSON.stringify(shownName(key))}`;
}
