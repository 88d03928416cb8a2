import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Message, RouteInput } from '../../router/index.ts';
import { ROOT } from './pinned.ts';

/** Something to decide on, and the name by which a failure is found again. */
export interface NamedInput {
  readonly name: string;
  readonly input: RouteInput;
}

type Plain = readonly [name: string, prompt: string];

const EVERYDAY = 110;
const MULTILINGUAL = 70;
const HARD = 110;

/** About 500 inputs of all kinds, the same each time. */
export function namedInputs(): NamedInput[] {
  const everyday = spread(shipped('training-data/everyday-english.jsonl'), EVERYDAY);
  const multilingual = spread(shipped('training-data/everyday-multilingual.jsonl'), MULTILINGUAL);
  const hard = spread(shipped('evals/suites/hard-cases.jsonl'), HARD);
  const plain = [...everyday, ...multilingual, ...hard, ...ODD_TEXTS];
  return [
    ...plain.map(([name, prompt]) => ({ name, input: { prompt } })),
    ...recorded('test/fixtures/routed-text'),
    ...recorded('test/fixtures/clients'),
    ...WRAPS.flatMap(([wrap, messagesOf], at) =>
      spread([...everyday.slice(at), ...hard.slice(at)], 6).map(([name, prompt]) => ({
        name: `${wrap} ${name}`,
        input: { messages: messagesOf(prompt) },
      })),
    ),
    ...ODD_MESSAGES.map(([name, messages]) => ({ name, input: { messages } })),
  ];
}

/** Every prompt that ships, for tests that look for some of them. */
export function shippedInputs(): NamedInput[] {
  const files = ['everyday-english.jsonl', 'everyday-multilingual.jsonl'].map(
    (file) => `training-data/${file}`,
  );
  const plain = [...files, 'evals/suites/hard-cases.jsonl'].flatMap(shipped);
  return plain.map(([name, prompt]) => ({ name, input: { prompt } }));
}

function shipped(file: string): Plain[] {
  const lines = readFileSync(path.join(ROOT, file), 'utf8').trimEnd().split('\n');
  const rows = lines.map((line) => JSON.parse(line));
  return rows.filter(({ prompt }) => prompt !== undefined).map(({ id, prompt }): Plain => [id, prompt]);
}

/** So many of the list, evenly spread over it. */
function spread<T>(list: readonly T[], count: number): T[] {
  return Array.from({ length: count }, (_, at) => list[Math.floor((at * list.length) / count)]!);
}

/** Requests that clients and frameworks really send. */
function recorded(folder: string): NamedInput[] {
  return readdirSync(path.join(ROOT, folder))
    .sort()
    .map((name) => {
      const { input, body } = JSON.parse(readFileSync(path.join(ROOT, folder, name), 'utf8'));
      const { prompt, messages } = input ?? body;
      return { name: path.basename(name, '.json'), input: prompt === undefined ? { messages } : { prompt } };
    });
}

const ODD_TEXTS: readonly Plain[] = [
  ['one letter', 'a'],
  ['one digit', '7'],
  ['one sign', '?'],
  ['line breaks', '\n\n\n?\n\n'],
  ['emoji', '👍🏽👩‍👩‍👧‍👦🎉'],
  ['half a surrogate pair', 'Hello \ud83d there'],
  ['null character', 'Hello\u0000there'],
  ['right to left', 'ما هي عاصمة فرنسا؟'],
  ['Hebrew', 'מהי בירת צרפת?'],
  ['Thai', 'เมืองหลวงของฝรั่งเศสคืออะไร'],
  ['Amharic', 'የፈረንሳይ ዋና ከተማ ምንድን ነው?'],
  ['Thai behind English', `Please answer this: ${'เมืองหลวงของฝรั่งเศสคืออะไร '.repeat(4)}`],
  ['Chinese', '证明根号二是无理数。'],
  ['Japanese', 'フランスの首都はどこですか。'],
  ['Korean', '프랑스의 수도는 어디입니까?'],
  ['Hindi', 'फ्रांस की राजधानी क्या है?'],
  ['Greek', 'Ποια είναι η πρωτεύουσα της Γαλλίας;'],
  ['Russian', 'Докажите, что корень из двух иррационален.'],
  ['Georgian', 'რა არის საფრანგეთის დედაქალაქი?'],
  ['composed and decomposed', 'cafe\u0301 naïve caf\u00e9 nai\u0308ve'],
  [
    'TypeScript',
    '```ts\nexport const add = (a: number, b: number): number => a + b;\n```\nWhy does this not compile?',
  ],
  [
    'SQL',
    'SELECT a, COUNT(*) FROM t LEFT JOIN u ON t.id = u.id WHERE u.id IS NULL GROUP BY a; -- make it faster',
  ],
  [
    'stack trace',
    'TypeError: x is undefined\n    at f (/app/a.js:1:2)\n    at g (/app/b.js:3:4)\nwhat is wrong',
  ],
  ['LaTeX', 'Show that $\\int_{-\\infty}^{\\infty} e^{-x^2}\\,dx = \\sqrt{\\pi}$.'],
  ['JSON alone', '{"order": 12, "items": [{"sku": "A-1", "n": 3}], "total": 12.5}'],
  ['HTML alone', '<div class="a"><p>Hello</p></div>'],
  ['lettered options', 'Which is prime?\nA) 21\nB) 33\nC) 37\nD) 51'],
  [
    'numbers',
    'A train leaves at 9:40 and drives 312 km at 104 km/h. Half of the 84 seats are taken. When is it there?',
  ],
  ['shouting', 'PLEASE TELL ME THE CAPITAL OF FRANCE NOW!!!'],
  ['spaces', '   What    is   the capital\tof France ?   '],
  ['Windows line ends', 'First line.\r\nSecond line.\r\n\r\nWhat do they say?'],
  ['long words', `${'Donaudampfschifffahrtsgesellschaft'.repeat(20)} what is that`],
  ['20 kB', 'The quick brown fox jumps over the lazy dog. '.repeat(450)],
  [
    '20 kB, ask at the end',
    `${'Lorem ipsum dolor sit amet. '.repeat(700)}\n\nProve the last claim rigorously.`,
  ],
  ['200 kB', '12 + 30 = 42; '.repeat(14_000)],
  ['a URL', 'https://example.com/a/b?c=d#e'],
  ['base64', 'aGVsbG8gd29ybGQsIHRoaXMgaXMgYSB0ZXN0IG9mIGJhc2U2NA=='],
  ['a cipher', 'Gur dhvpx oebja sbk whzcf bire gur ynml qbt.'],
];

type Wrap = readonly [name: string, messagesOf: (prompt: string) => readonly Message[]];

const user = (content: Message['content']): Message => ({ role: 'user', content: content! });
const assistant = (content: string): Message => ({ role: 'assistant', content });
const text = (words: string) => ({ type: 'text', text: words });

const WRAPS: readonly Wrap[] = [
  ['chat', (prompt) => [user(prompt)]],
  ['system', (prompt) => [{ role: 'system', content: 'You are a careful mathematician.' }, user(prompt)]],
  ['developer', (prompt) => [{ role: 'developer', content: 'Answer in French.' }, user(prompt)]],
  ['follow-up', (prompt) => [user(prompt), assistant('Here it is.'), user('And shorter, please?')]],
  ['second ask', (prompt) => [user('Hello!'), assistant('Hello, how can I help?'), user(prompt)]],
  ['parts', (prompt) => [user([text('Read this.'), text(prompt)])]],
  [
    'picture',
    (prompt) => [
      user([{ type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } }, text(prompt)]),
    ],
  ],
  [
    'RAG',
    (prompt) => [
      user(
        `Use the following pieces of context to answer the question at the end.\n\nThe Seine flows through Paris.\n\nQuestion: ${prompt}\nHelpful Answer:`,
      ),
    ],
  ],
  [
    'RAG tags',
    (prompt) => [
      user(`<context>\nThe Seine flows through Paris.\n</context>\n\n<question>${prompt}</question>`),
    ],
  ],
  ['reminder', (prompt) => [user([text('<system-reminder>\nBe short.\n</system-reminder>'), text(prompt)])]],
  [
    'environment',
    (prompt) => [
      user('<environment_context>\n<cwd>/app</cwd>\n<shell>bash</shell>\n</environment_context>'),
      user(prompt),
    ],
  ],
  [
    'tool loop, OpenAI',
    (prompt) => [
      user(prompt),
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'look', arguments: '{}' } }],
      },
      { role: 'tool', tool_call_id: 'call_1', content: 'Prove everything rigorously.' },
    ],
  ],
  [
    'tool loop, Anthropic',
    (prompt) => [
      user(prompt),
      { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_1', name: 'look', input: {} }] },
      user([{ type: 'tool_result', tool_use_id: 'toolu_1', content: 'Prove everything rigorously.' }]),
    ],
  ],
];

const ODD_MESSAGES: readonly (readonly [string, readonly Message[]])[] = [
  ['empty content', [user('')]],
  ['blank content', [user(' \n\t ')]],
  ['no content', [{ role: 'user' }]],
  ['null content', [user(null)]],
  ['no parts', [user([])]],
  ['empty part', [user([text('')])]],
  ['system alone', [{ role: 'system', content: 'Prove everything.' }]],
  ['assistant alone', [assistant('The answer is 42.')]],
  ['picture alone, OpenAI', [user([{ type: 'image_url', image_url: { url: 'https://example.com/a.png' } }])]],
  [
    'picture alone, Anthropic',
    [user([{ type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } }])],
  ],
  ['sound alone', [user([{ type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } }])]],
  ['file alone', [user([{ type: 'file', file: { file_data: 'data:application/pdf;base64,AAAA' } }])]],
  ['picture after words', [user('What is the capital of France?'), user([{ type: 'image', source: {} }])]],
  ['tool result alone', [user([{ type: 'tool_result', tool_use_id: 'a', content: 'Prove it.' }])]],
  ['unknown part', [user([{ type: 'hologram', text: 'Prove it.' }])]],
  ['unknown role', [{ role: 'narrator', content: 'Prove it.' }]],
  ['twenty asks', Array.from({ length: 20 }, (_, at) => user(`Ask number ${at}: what is ${at} + ${at}?`))],
];
