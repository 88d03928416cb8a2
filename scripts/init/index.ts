/** The first configuration: questions, their answers, and the file that they make. */
export {
  type Answers,
  faultOf,
  keyVariables,
  proposedModels,
  providerAt,
  providersWithKeys,
  STARTS,
  type Start,
  USES,
  type Use,
  type WantedProvider,
  wantedProvider,
  whyNoVariable,
} from './answers.ts';
export { configText } from './config-text.ts';
export { modelsOf } from './list-models.ts';
export { askAnswers, type Given } from './questions.ts';
