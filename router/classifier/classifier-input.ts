import type { Manifest } from '../artifact/index.ts';
import { type EncoderOptions, openEncoderFor, staticTokenizer } from '../encoders/index.ts';
import type { ClassifierInput } from './onnx-classifier.ts';

/**
 * What an artifact's classifier reads. A folded one needs the tokenizer alone: the encoders' code is loaded only where one is used.
 * @throws PlimsollError `weights-missing` where the weights are not here, or are not those of the training.
 */
export async function classifierInput(
  { classifier, encoder }: Pick<Manifest, 'classifier' | 'encoder'>,
  options: EncoderOptions = {},
): Promise<ClassifierInput> {
  if (classifier.kind === 'lexicon') return { kind: 'lexicon', tokenizer: staticTokenizer() };
  const opened = await openEncoderFor(encoder, options);
  if (opened.identity.id !== 'minilm') return { kind: 'linear', encoder: opened };
  return { kind: 'linear', encoder: opened, tokenizer: staticTokenizer() }; // minilm has the same vocabulary
}
