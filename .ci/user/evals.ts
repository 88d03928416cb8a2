import { assess, type Case, gate, loadLabelled, parseCase, train, writeArtifact } from 'plimsoll/evals';

const models = ['cheap', 'strong'] as const;
const data = await loadLabelled(['labelled.jsonl'], { models });
const { apgr, conclusion } = await assess(data, { models: [...models] });
console.log(apgr, conclusion);

const own: Case = parseCase({ prompt: 'Hello', outcomes: { cheap: { quality: 1 } } }, 'own');
const draft = await train(
  { cases: [...data.cases, own] },
  { ladder: models, onProgress: ({ step, summary }) => console.log(step, summary) },
);
console.log(writeArtifact('models/mine', draft).policy.threshold);

const { verdict } = await gate({ artifact: 'models/mine', suite: 'suite.yaml', data: ['labelled.jsonl'] });
console.log(verdict.verdict, verdict.conditions.length);
