import { expect, test } from 'vitest';
import { neutralRequest } from '../../router/dialects/index.ts';

const weather = { type: 'object', properties: { city: { type: 'string' } } };
const schema = { type: 'object', properties: { ok: { type: 'boolean' } } };

/** One conversation with a call of a tool, as three APIs write it. */
const conversation = {
  openai: {
    model: 'auto',
    temperature: 0,
    messages: [
      { role: 'developer', content: 'Be brief.' },
      { role: 'user', content: 'Weather in Ghent?', name: 'ann' },
      {
        role: 'assistant',
        content: null,
        tool_calls: [
          { id: 'c1', type: 'function', function: { name: 'weather', arguments: '{"city":"Ghent"}' } },
        ],
      },
      { role: 'tool', tool_call_id: 'c1', content: '12 degrees' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'And' },
          { type: 'text', text: 'now?' },
        ],
      },
    ],
    tools: [{ type: 'function', function: { name: 'weather', description: 'Now', parameters: weather } }],
    response_format: { type: 'json_schema', json_schema: { name: 'response', schema } },
  },
  anthropic: {
    model: 'auto',
    max_tokens: 9,
    system: [{ type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral' } }],
    messages: [
      { role: 'user', content: 'Weather in Ghent?' },
      {
        role: 'assistant',
        content: [
          { type: 'thinking', thinking: 'Hm.', signature: 'x' },
          { type: 'tool_use', id: 'c1', name: 'weather', input: { city: 'Ghent' } },
        ],
      },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 'c1', content: [{ type: 'text', text: '12 degrees' }] },
          { type: 'text', text: 'And' },
          { type: 'text', text: 'now?' },
        ],
      },
    ],
    tools: [
      { name: 'weather', description: 'Now', input_schema: weather },
      { type: 'web_search_20250305', name: 'web_search' },
    ],
    output_config: { format: { type: 'json_schema', schema } },
  },
  responses: {
    model: 'auto',
    instructions: 'Be brief.',
    input: [
      { role: 'user', content: [{ type: 'input_text', text: 'Weather in Ghent?' }] },
      { type: 'reasoning', summary: [] },
      { type: 'function_call', call_id: 'c1', name: 'weather', arguments: '{"city":"Ghent"}' },
      { type: 'function_call_output', call_id: 'c1', output: '12 degrees' },
      {
        role: 'user',
        content: [
          { type: 'input_text', text: 'And' },
          { type: 'input_text', text: 'now?' },
        ],
      },
    ],
    tools: [
      { type: 'function', name: 'weather', description: 'Now', parameters: weather },
      { type: 'web_search' },
    ],
    text: { format: { type: 'json_schema', name: 'response', schema } },
  },
} as const;

const neutral = {
  system: 'Be brief.',
  messages: [
    { role: 'user', content: 'Weather in Ghent?' },
    conversation.openai.messages[2],
    { role: 'tool', tool_call_id: 'c1', content: '12 degrees' },
    conversation.openai.messages[4],
  ],
  tools: conversation.openai.tools,
  response_format: conversation.openai.response_format,
};

test.each(['openai', 'anthropic', 'responses'] as const)(
  'a conversation of %s has the one form',
  (dialect) => {
    expect(neutralRequest(conversation[dialect], dialect)).toEqual(neutral);
  },
);

test('the neutral form is its own', () => {
  const { system, ...rest } = neutral;
  const body = { ...rest, messages: [{ role: 'system', content: system }, ...rest.messages] };
  expect(neutralRequest(body, 'openai')).toEqual(neutral);
});

test.each([
  [
    'openai',
    {
      messages: [
        { role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,AA' } }] },
      ],
    },
  ],
  ['openai', { messages: [{ role: 'system', content: 'Alone.' }] }],
  [
    'anthropic',
    {
      messages: [
        {
          role: 'user',
          content: [{ type: 'image', source: { type: 'url', url: 'https://x.example/a.png' } }],
        },
      ],
    },
  ],
  [
    'anthropic',
    {
      messages: [
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'a', content: [{ type: 'image' }] }] },
      ],
    },
  ],
  ['responses', { input: [{ role: 'user', content: [{ type: 'input_file', file_id: 'f' }] }] }],
  ['responses', { input: [{ type: 'computer_call_output' }] }],
] as const)('%s: what is not text alone has none', (dialect, body) => {
  expect(neutralRequest(body, dialect)).toBeUndefined();
});

test('older functions are tools', () => {
  const body = {
    messages: [
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: null, function_call: { name: 'f', arguments: '{}' } },
      { role: 'function', name: 'f', content: 'done' },
    ],
    functions: [{ name: 'f', parameters: schema }],
  };
  expect(neutralRequest(body, 'openai')).toEqual({
    messages: [
      { role: 'user', content: 'Hi' },
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'call_f', type: 'function', function: { name: 'f', arguments: '{}' } }],
      },
      { role: 'tool', tool_call_id: 'call_f', content: 'done' },
    ],
    tools: [{ type: 'function', function: { name: 'f', parameters: schema } }],
  });
});
