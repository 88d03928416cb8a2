import type { Manifest } from '../artifact/manifest.ts';
import type { EncoderOptions } from '../encoders/encoder-spec.ts';
import { staticTokenizer } from '../encoders/static.ts';
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
  const { openEncoderFor } = await import('../encoders/open-encoder.ts');
  const opened = await openEncoderFor(encoder, options);
  if (opened.identity.id !== 'minilm') return { kind: 'linear', encoder: opened };
  return { kind: 'linear', encoder: opened, tokenizer: staticTokenizer() }; // minilm has the same vocabulary
}
