import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Intake } from '../../router/batches/intake.ts';
import { CHAT, chatLine } from './batch-gateway.ts';

const LIMITS = {
  maxLines: 1_000,
  maxFileBytes: 1_000_000,
  maxLineBytes: 5_000,
  json: { maxDepth: 20, maxValues: 10_000 },
};

/** What a file comes to, in pieces of these lengths. */
async function take(file: Buffer, lengths: readonly number[] = [], limits = LIMITS) {
  let kept = '';
  const intake = new Intake(limits, async (text) => {
    kept += text;
  });
  for (let from = 0, at = 0; from < file.length; at++) {
    const length = lengths.length === 0 ? file.length : lengths[at % lengths.length]!;
    await intake.write(file.subarray(from, from + length));
    from += length;
  }
  return { checked: await intake.end(), kept };
}

const line = (changes: object) => JSON.stringify({ ...JSON.parse(chatLine('a')), ...changes });

describe('lines of a batch file', () => {
  test('are the same however the file is cut', async () => {
    const content = fc.string({ unit: 'grapheme', maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(content, { minLength: 1, maxLength: 8 }),
        fc.constantFrom('\n', '\r\n', '\n\n'),
        fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 5 }),
        async (contents, end, lengths) => {
          const text = contents.map((one, at) => chatLine(`${at}`, one)).join(end);
          const { checked, kept } = await take(Buffer.from(text), lengths);
          expect(kept).toBe(text);
          expect(checked).toEqual({ lines: contents.length, bytes: Buffer.byteLength(text), url: CHAT });
        },
      ),
      { numRuns: 300 },
    );
  });

  test('a broken line is named by its number, wherever it is and whatever it is', async () => {
    const broken = fc.oneof(
      fc.json().filter((text) => text.trim() !== ''),
      fc.string({ maxLength: 50 }).filter((text) => text.trim() !== '' && !text.includes('\n')),
      fc.constantFrom(...['url', 'method', 'body', 'custom_id'].map((name) => line({ [name]: undefined }))),
    );
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 9 }), broken, async (at, text) => {
        const lines = Array.from({ length: 10 }, (_, number) => chatLine(`${number}`));
        lines[at] = text;
        const refused = await take(Buffer.from(lines.join('\n')), [13]).catch((error) => error);
        expect(refused).toMatchObject({ code: 'invalid-input', place: { line: at + 1 } });
        expect(refused.message).not.toMatch(/undefined|NaN/);
      }),
      { numRuns: 300 },
    );
  });

  test.each([
    ['custom_id', line({ custom_id: 5 }), 'must be a string of 1 to 512 characters'],
    ['custom_id', line({ custom_id: '' }), 'must be a string of 1 to 512 characters'],
    ['method', line({ method: 'post' }), 'must be "POST"'],
    ['url', line({ url: '/v1/completions' }), 'must be one of /v1/chat/completions'],
    ['body', line({ body: [] }), 'must be an object'],
    ['body.stream', line({ body: { stream: true } }), 'must not be true'],
    ['body.model', chatLine('a').replace('{"model"', '{"model":"b","model"'), 'is there more than once'],
    [undefined, '[]', 'must be a JSON object'],
    [undefined, '['.repeat(30), 'has more than 20 levels'],
    [undefined, chatLine('a', 'x'.repeat(6_000)), 'is longer than 5000 bytes (gateway.max_body_bytes)'],
  ])('%s: %s', async (field, text, why) => {
    const refused = await take(Buffer.from(`${text}\n`)).catch((error) => error);
    expect(refused.place).toEqual({ line: 1, ...(field !== undefined && { field }) });
    expect(refused.message).toContain(why);
  });

  test('have one endpoint, and no custom_id twice', async () => {
    const lines = [chatLine('a'), line({ custom_id: 'b', url: '/v1/messages' }), chatLine('a')];
    const refused = await take(Buffer.from(lines.join('\n'))).catch((error) => error);
    expect(refused.message).toContain(`Line 2, url: must be ${CHAT} as in the lines before`);
    expect(refused.message).toContain('Line 3, custom_id: is that of line 1.');
  });

  test('are UTF-8; a byte order mark at the beginning is left out', async () => {
    const latin = Buffer.from(chatLine('a', 'é'), 'latin1');
    await expect(take(latin)).rejects.toMatchObject({
      message: expect.stringContaining('Line 1: is not UTF-8.'),
    });
    expect((await take(Buffer.from(`\ufeff${chatLine('a')}`))).kept).toBe(chatLine('a'));
  });
});
