import { type Cascade, checkedRungs } from './cascade.ts';
import { constantSignals, unseenSignals } from './reply-judge.ts';

/**
 * What the judges of an artifact cannot tell, since their training replies did not show it: a sentence for the signals that all replies of a model had
 * alike, and one for those that none had.
 * @param artifact its cascade, if it has one, and the models that it learned from, cheapest first
 */
export function signalGaps({
  ladder,
  cascade,
}: {
  readonly ladder: readonly { readonly model: string }[];
  readonly cascade?: Cascade | undefined;
}): string[] {
  if (cascade === undefined) return [];
  return checkedRungs(cascade).flatMap(({ judge }, rung) => {
    const { model } = ladder[rung]!;
    const [alike, unseen] = [constantSignals(judge), unseenSignals(judge)];
    return [
      ...(alike.length === 0
        ? []
        : [
            `All training replies of ${model} are alike in ${alike.join(', ')}: its judge cannot tell what a reply is worth that differs in them. If live replies do, train on replies like those.`,
          ]),
      ...(unseen.length === 0
        ? []
        : [
            `No training reply of ${model} has ${unseen.join(', ')}: its judge makes nothing of it, however bad a live reply is by it. Train on replies that have it.`,
          ]),
    ];
  });
}
