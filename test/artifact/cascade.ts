import { type Cascade, REPLY_COLUMNS } from '../../router/cascade/index.ts';

/** A cascade of the models small and large whose judge keeps what it is told to: the cheap head's intercept says how good each reply is. */
export function madeUpCascade(models: readonly string[] = ['small', 'large']): Cascade {
  const columns = [...models.map((model) => `logit ${model}`), ...REPLY_COLUMNS];
  const head = { weights: columns.map(() => 0), intercept: 0 };
  return {
    judge: { columns, cheap: head, strong: head, better: head },
    skip: 0.2,
    path: [
      { accept: -0.1, skip: -0.3 },
      { accept: 0, skip: 0.2 },
      { accept: 0.25, skip: 0.999 },
    ],
  };
}
