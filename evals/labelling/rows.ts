import { createHash } from 'node:crypto';
import type { CatalogModel } from '../../router/catalog/index.ts';
import { PlimsollError } from '../../router/errors.ts';
import { isObject } from '../../router/json/index.ts';
import {
  type Case,
  type NamedRows,
  type PromptRow,
  type PromptRowOptions,
  promptRows,
  requestMessages,
} from '../cases/index.ts';
import type { Graders, TaskGrader } from './graders/graders-file.ts';
import { type RecordedReply, recordedReply } from './recorded-reply.ts';

/** A request to be labelled. */
export interface LabelRow {
  readonly row: PromptRow['row'];
  readonly one: Case;
  /** Body of a chat completion, without `model`. */
  readonly body: Readonly<Record<string, unknown>>;
  readonly grader: TaskGrader;
  /** What a candidate replied to it before, captured or in a log: it is not asked again. */
  readonly recorded: RecordedReply | undefined;
}

interface LabelRowOptions {
  readonly graders: Graders;
  readonly maxTokens: number;
  /** Candidates whose recorded replies are taken; none if all are to be asked. */
  readonly recordedOf: readonly CatalogModel[];
  readonly reading: PromptRowOptions;
}

/**
 * The requests of files of cases or prompts, in an order that their ids decide: what is labelled when a budget ends is a random part of them.
 * @throws PlimsollError as promptRows; `invalid-input` if a row has no grader, or no reference that its grader needs, or two have one id
 */
export async function readLabelRows(
  files: readonly (string | NamedRows)[],
  { graders, maxTokens, recordedOf, reading }: LabelRowOptions,
): Promise<LabelRow[]> {
  const rows: LabelRow[] = [];
  const ids = new Set<string>();
  const faults = new Faults();
  for await (const { row, one } of promptRows(files, reading)) {
    const grader = graders.forTask(one.task);
    if (ids.has(one.id)) faults.add('twice', one);
    ids.add(one.id);
    if (grader === undefined) faults.add('no grader', one);
    else if (grader.needsReference && row.reference == null) faults.add('no reference', one);
    else {
      const recorded = recordedReply(row, recordedOf, maxTokens);
      rows.push({ row, one, body: bodyOf(row, maxTokens), grader, recorded });
    }
  }
  faults.throwFirst();
  return rows.sort((a, b) => (orderOf(a) < orderOf(b) ? -1 : 1));
}

function bodyOf(row: PromptRow['row'], maxTokens: number): Record<string, unknown> {
  const { system, context, prompt, messages, tools, response_format: format } = row;
  return {
    messages: requestMessages({ system, context, prompt, messages }),
    ...(Array.isArray(tools) && tools.length > 0 && { tools }),
    ...(isObject(format) && { response_format: format }),
    max_tokens: maxTokens,
  };
}

function orderOf({ one }: LabelRow): string {
  return createHash('sha256').update(one.id).digest('hex');
}

const SENTENCES = {
  twice: ({ id }: Case) =>
    `share the id of another row, the first is "${id}". Give each row an id of its own`,
  'no grader': ({ id, task }: Case) =>
    `have no grader, the first is "${id}" (${task === undefined ? 'without a task' : `task ${task}`}). Add a rule to the graders; one without \`when\` is for all other rows`,
  'no reference': ({ id }: Case) =>
    `have no reference, which their grader compares with; the first is "${id}". Give each row the field "reference", or name the column: --map reference=gold`,
};

/** What is wrong with the rows, by kind: the first row of each and how many there are. */
class Faults {
  readonly #found = new Map<keyof typeof SENTENCES, { readonly first: Case; count: number }>();

  add(kind: keyof typeof SENTENCES, one: Case): void {
    const known = this.#found.get(kind);
    if (known === undefined) this.#found.set(kind, { first: one, count: 1 });
    else known.count++;
  }

  throwFirst(): void {
    for (const [kind, { first, count }] of this.#found) {
      const rows = count === 1 ? '1 row' : `${count} rows`;
      throw new PlimsollError('invalid-input', `${rows} ${SENTENCES[kind](first)}.`, {
        place: { field: kind === 'no reference' ? 'reference' : kind === 'twice' ? 'id' : 'task' },
      });
    }
  }
}
