import { z } from 'zod';

const time = z.iso.datetime();

const taskFields = {
  id: z.string(),
  object: z.literal('people.task'),
  people: z.string().describe('Name in the configuration.'),
  model: z.string(),
  status: z.enum(['waiting', 'claimed', 'answered', 'late', 'withdrawn']),
  created_at: time,
  deadline_at: time,
  claimed_by: z.string().nullable(),
  claimed_until: time.nullable(),
  decision_id: z.string(),
  tags: z.array(z.string()),
  unreadable: z
    .literal(true)
    .exactOptional()
    .describe('Encrypted with a key that this server does not have: neither tags nor claim are known.'),
  answered_by: z.string().exactOptional(),
  minutes: z.number().exactOptional().describe('At work.'),
  cost_usd: z.number().exactOptional(),
};
const taskSchema = z.strictObject(taskFields);

const text = z.string().min(1).max(100_000).describe('What the client gets.');

/** Schemas of requests that people answer, by the names of the document. */
export const PEOPLE_SCHEMAS = {
  PeopleTask: taskSchema,
  PeopleTaskList: z.strictObject({ object: z.literal('list'), data: z.array(taskSchema) }),
  PeopleTaskWithConversation: z.strictObject({
    ...taskFields,
    messages: z
      .array(z.strictObject({ role: z.string(), text: z.string() }))
      .describe('The conversation; what is no text is named in brackets.'),
  }),
  PersonReply: z.strictObject({ text }),
  SignedPersonReply: z.looseObject({ task_id: z.string(), text }),
  PendingReply: z.strictObject({
    id: z.string(),
    object: z.literal('people.reply'),
    status: z.enum(['waiting', 'claimed']),
    url: z.string(),
    deadline_at: time,
    decision_id: z.string(),
  }),
};
