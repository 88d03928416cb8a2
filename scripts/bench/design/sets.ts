/** Sets that routers are cross-validated on: which models, and which pairs of them. */
export const RATIONAL = {
  set: 'rational_cascades',
  /** By what they cost on these cases. */
  models: [
    'llama3.2-3b',
    'llama3.2-1b',
    'gpt-4o-mini',
    'llama3.1-8b',
    'qwen2.5-72b-instruct',
    'llama3.1-70b',
    'qwen2.5-32b-coder-instruct',
    'gpt-4o',
    'llama3.1-405b',
  ],
} as const;

export const LLMROUTER = {
  set: 'llmrouter',
  models: [
    'qwen2.5-7b-instruct',
    'llama-3.1-8b-instruct',
    'mistral-7b-instruct-v0.3',
    'gemma-2-9b-it',
    'llama-3.3-nemotron-super-49b-v1',
    'llama-3.1-nemotron-51b-instruct',
  ],
} as const;

const MIXTRAL_GPT4 = ['mixtral-8x7b-instruct-v0.1', 'gpt-4-1106-preview'] as const;

/** Sets of which aggregates may ship. */
export const RANKED: readonly { readonly set: string; readonly models: readonly string[] }[] = [
  LLMROUTER,
  {
    set: 'zeroeval',
    models: [
      'Meta-Llama-3.1-8B-Instruct',
      'claude-3-haiku-20240307',
      'gpt-4o-mini-2024-07-18',
      'gpt-4o-2024-08-06',
      'claude-3-5-sonnet-20241022',
    ],
  },
  { set: 'routellm_gsm8k', models: MIXTRAL_GPT4 },
  { set: 'routellm_mmlu', models: MIXTRAL_GPT4 },
  { set: 'mmlu_pro', models: ['llama-3.1-8b-instruct', 'llama-3.1-70b-instruct'] },
];
