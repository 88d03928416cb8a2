import { z } from 'zod';

/** What the everyday cases ask for. The list is closed: a new task is a decision, not a typing slip. */
export const TIER_TASKS = [
  'chat',
  'classification',
  'code-debugging',
  'code-generation',
  'data-analysis',
  'extraction',
  'long-context',
  'maths',
  'multi-turn',
  'planning',
  'reasoning',
  'rewriting',
  'safety-critical',
  'sql',
  'summarisation',
  'support',
  'tool-use',
  'translation',
] as const;

export const TIERS = ['cheap', 'strong'] as const;

/** The longest reason for a tier, in UTF-16 units: one sentence. */
const LONGEST_WHY = 160;

const text = z.string().trim().min(1);

/** Tool use as an assistant of the OpenAI or the Anthropic shape writes it. Tool traffic is never scored. */
const toolCallSchema = z.strictObject({
  id: text,
  type: z.literal('function'),
  function: z.strictObject({ name: text, arguments: z.string() }),
});
const partSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('text'), text }),
  z.strictObject({
    type: z.literal('tool_use'),
    id: text,
    name: text,
    input: z.record(z.string(), z.unknown()),
  }),
  z.strictObject({ type: z.literal('tool_result'), tool_use_id: text, content: z.string() }),
]);

const content = z.union([text, z.array(partSchema).min(1)]);
const messageSchema = z.union([
  z.strictObject({ role: z.literal(['system', 'user', 'assistant']), content }),
  z.strictObject({
    role: z.literal('assistant'),
    content: text.nullable(),
    tool_calls: z.array(toolCallSchema).min(1),
  }),
  z.strictObject({ role: z.literal('tool'), tool_call_id: text, content: text }),
]);

/** One line of a file of tiered cases: a prompt or messages, and the tier that its authors think it needs. */
export const tierCaseRowSchema = z
  .strictObject({
    id: text,
    task: z.enum(TIER_TASKS),
    language: z.string().regex(/^[a-z]{2,3}(-[A-Za-z]{2,4})?$/, 'must be a language code such as en'),
    prompt: text.optional(),
    messages: z.array(messageSchema).min(1).optional(),
    tier: z.enum(TIERS),
    why: text.max(LONGEST_WHY),
  })
  .refine(({ prompt, messages }) => (prompt === undefined) !== (messages === undefined), {
    message: 'give either prompt or messages',
    path: ['prompt'],
  });

export type TierCaseRow = z.output<typeof tierCaseRowSchema>;
