import fc from 'fast-check';

type Json = Record<string, unknown>;

export const USER = { role: 'user', content: 'Hello' };
export const NEXT = { role: 'user', content: 'And now?' };
export const CALL = { id: 'call_1', type: 'function', function: { name: 'look', arguments: '{"at":"x"}' } };
export const RESULT = { role: 'tool', tool_call_id: 'call_1', content: 'seen' };
export const TOOLS = [
  { type: 'function', function: { name: 'look', parameters: { type: 'object', properties: {} } } },
];

/** Assistant turns as clients and servers of today have them. */
const NOTHINGS = [
  'reasoning_content',
  'refusal',
  'annotations',
  'audio',
  'function_call',
  'parsed',
  'tool_calls',
  'name',
];
const EXTRAS: Json = {
  name: 'model',
  reasoning_content: 'I thought.',
  reasoning_details: [{ type: 'reasoning.text', text: 'x' }],
  provider_specific_fields: { citations: null },
  thinking_blocks: [{ type: 'thinking', thinking: 'x', signature: 'y' }],
  annotations: [{ type: 'url_citation' }],
  audio: { id: 'audio_1' },
  extra_content: { google: { thought_signature: 's' } },
  created_at: 5,
  cache_control: null,
};
export const extras = fc.record(
  Object.fromEntries([
    ...Object.entries(EXTRAS).map(([name, value]) => [name, fc.constantFrom(value, null)]),
    ...NOTHINGS.filter((name) => !(name in EXTRAS)).map((name) => [name, fc.constant(null)]),
  ]),
  { requiredKeys: [] },
);
/** The OpenAI agents package puts these into the texts; others put caches and indexes. */
const textPart = fc
  .record(
    {
      role: fc.constant('assistant'),
      refusal: fc.constant(null),
      tool_calls: fc.constant([CALL]),
      annotations: fc.constant([]),
      cache_control: fc.constant(null),
    },
    { requiredKeys: [] },
  )
  .map((more) => ({ type: 'text', text: 'Let me look.', ...more }));
export const content = fc.oneof(
  fc.constantFrom('', ' ', null, 'Let me look.', []),
  fc.array(
    fc.oneof(
      textPart,
      fc.constant({ type: 'text', text: '' }),
      fc.constant({ type: 'refusal', refusal: 'No.' }),
    ),
    { maxLength: 3 },
  ),
);
export const callExtras = fc.record(
  { index: fc.constant(0), extra_content: fc.constant({ a: 1 }) },
  { requiredKeys: [] },
);
export const called = fc.constantFrom('{"at":"x"}', '', '{"at":', '[1]', '"x"');

/** Turns of the assistant that came from Claude. */
export const BLOCKS: readonly Json[] = [
  { type: 'thinking', thinking: 'Hmm.', signature: 'theirs' },
  { type: 'redacted_thinking', data: 'AAAA' },
  { type: 'text', text: '' },
  { type: 'text', text: ' ' },
  { type: 'text', text: 'So.', citations: null },
  { type: 'text', text: 'So.', citations: [{ type: 'char_location', cited_text: 'x' }], parsed_output: null },
  { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: { query: 'x' } },
  { type: 'web_search_tool_result', tool_use_id: 'srvtoolu_1', content: [] },
];
