import fc from 'fast-check';
import { expect, test } from 'vitest';
import { laidOutJson, requestHtml, textHtml } from '../../router/grading/index.ts';

test('JSON is laid out as JSON.stringify does, and its values stay as they were written', () => {
  fc.assert(
    fc.property(fc.oneof(fc.array(fc.json()), fc.dictionary(fc.string(), fc.json())), (value) => {
      expect(laidOutJson(JSON.stringify(value))).toBe(JSON.stringify(value, null, 2));
    }),
  );
  expect(laidOutJson('{"a":1.0,"b":12345678901234567890,"a":"\\u0041"}')).toBe(
    '{\n  "a": 1.0,\n  "b": 12345678901234567890,\n  "a": "\\u0041"\n}',
  );
  for (const text of ['{"a":', '1', '"x"', 'Sure: {}']) expect(laidOutJson(text)).toBeUndefined();
  const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);
  expect(laidOutJson(nested(100))).toBe(JSON.stringify(JSON.parse(nested(100)), null, 2));
  expect(laidOutJson(nested(101))).toBeUndefined();
  expect(textHtml(nested(5_000)).text.length).toBeLessThan(11_000);
  const long = { text: 'x"\\'.repeat(1_000_000) };
  expect(laidOutJson(JSON.stringify(long)) === JSON.stringify(long, null, 2)).toBe(true);
});

test('code keeps its lines, paragraphs have a direction each, and a fence without an end is code to the end', () => {
  const { text } = textHtml('مرحبا\n\nSee:\n```py\nif a < b:\n    go()\n\n```\nDone.\n~~~\nopen\n```\nstill');
  expect(text.match(/<p dir="auto">/g)).toHaveLength(3);
  expect(text).toContain('aria-label="py"');
  expect(text).toContain('<pre><code>if a &lt; b:\n    go()\n</code></pre>');
  expect(text).toContain('<pre><code>open\n```\nstill</code></pre>');
});

test('no word of a text is lost', () => {
  const words = fc.array(fc.constantFrom('a', '```', '~~~~', '\n', '\n\n', '{"x":[1]}', '    b', '<i>'), {
    maxLength: 30,
  });
  fc.assert(
    fc.property(words, (parts) => {
      const text = parts.join('\n');
      const shown = textHtml(text)
        .text.replaceAll(/<[^>]*>/g, ' ')
        .replaceAll('&lt;', '<')
        .replaceAll('&gt;', '>')
        .replaceAll('&quot;', '"');
      const count = (of: string) => ['b', '<i>', '[', 'x'].map((one) => of.split(one).length);
      expect(count(shown)).toEqual(count(text));
    }),
  );
});

test('of a conversation the last question is open and the rest folded; pictures and calls of tools are told', () => {
  const { text } = requestHtml([
    { role: 'system', content: 'Be brief.' },
    {
      role: 'user',
      content: [
        { type: 'text', text: 'Look.' },
        { type: 'image_url', image_url: { url: 'x' } },
      ],
    },
    { role: 'assistant', content: null, tool_calls: [{ function: { name: 'weather' } }] },
    { role: 'tool', content: '{"celsius":21}' },
    { role: 'user', content: `${'word '.repeat(1_000)}And now?` },
  ]);
  expect(text).toContain('Before it: instructions, person, model, result of a tool');
  expect(text).toContain('[image_url, not shown here]');
  expect(text).toContain('&quot;weather&quot;');
  expect(text).toMatch(/word …<\/p>.*4,\d{3} characters are folded.*<p dir="auto">… word/s);
  expect(text.indexOf('All of it')).toBeGreaterThan(text.indexOf('And now?'));
  expect(requestHtml([{ role: 'user', content: 'Hi' }]).text).toBe(
    '<div class="text"><p dir="auto">Hi</p></div>',
  );
});
