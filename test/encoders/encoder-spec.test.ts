import { describe, expect, it } from 'vitest';
import { type EncoderSpec, encoderName, parseEncoderSpec } from '../../router/encoders/encoder.ts';

describe('parseEncoderSpec', () => {
  it('reads the three kinds', () => {
    expect(parseEncoderSpec('static')).toEqual({ id: 'static' });
    expect(parseEncoderSpec('minilm', { workers: 2 })).toEqual({ id: 'minilm', workers: 2 });
    expect(parseEncoderSpec('transformers:Xenova/bge-small-en-v1.5', { allowHub: true })).toEqual({
      id: 'transformers',
      model: 'Xenova/bge-small-en-v1.5',
      allowHub: true,
    });
  });

  it('reads the variant of a transformers encoder', () => {
    const expected = { id: 'transformers', model: './a model', pooling: 'cls', dtype: 'fp32' };
    expect(parseEncoderSpec('transformers:./a model#cls,fp32')).toEqual(expected);
    expect(parseEncoderSpec('transformers:./a model#fp32,cls')).toEqual(expected);
  });

  it.each(['', 'Static', 'minilm:x', 'transformers', 'transformers:', 'transformers:a#', 'transformers:a#b'])(
    'refuses %j and lists the choices',
    (text) => {
      const refused = expect.objectContaining({
        code: 'invalid-input',
        message: expect.stringMatching(/static, minilm or transformers:/),
      });
      expect(() => parseEncoderSpec(text)).toThrow(refused);
    },
  );

  it.each([
    { id: 'static' },
    { id: 'minilm' },
    { id: 'transformers', model: 'a/b' },
    { id: 'transformers', model: '/a/b c', pooling: 'cls' },
    { id: 'transformers', model: 'a/b', dtype: 'fp16' },
    { id: 'transformers', model: 'a/b', pooling: 'cls', dtype: 'int8' },
  ] as EncoderSpec[])('reads back the name of %j', (spec) => {
    expect(parseEncoderSpec(encoderName(spec))).toEqual(spec);
  });

  it('names no default', () => {
    const spec = { id: 'transformers', model: 'a/b', pooling: 'mean', dtype: 'q8' } as const;
    expect(encoderName(spec)).toBe('transformers:a/b');
  });
});
