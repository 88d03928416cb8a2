import { z } from 'zod';
import { CONTRADICTION_ACTIONS } from '../monitoring/index.ts';
import { camelCased } from './camel-cased.ts';
import { VARIABLE_NAME } from './variable-name.ts';

/** `watch` of plimsoll.config.yaml: what is served, compared with what the gate certified. */
export const watchSchema = z
  .strictObject({
    confidence: z
      .number()
      .min(0.5)
      .max(0.9999)
      .default(0.95)
      .describe(
        'Without a change the probability of ever raising an alarm is at most 1 minus this, for drift, for shares and for audits each.',
      ),
    on_contradiction: z
      .enum(CONTRADICTION_ACTIONS)
      .default('warn')
      .describe(
        'What follows when audits contradict the PASS. warn: it serves on, and says so. tighten: the threshold is lowered. strong: everything goes to the strongest candidate.',
      ),
    tighten_by: z
      .number()
      .min(0.001)
      .max(1)
      .default(0.05)
      .describe('By how much tighten lowers the threshold each time.'),
    webhook_url_env: z
      .string()
      .regex(
        VARIABLE_NAME,
        'webhook_url_env takes the NAME of an environment variable in upper case, never the address: whoever knows it can write there',
      )
      .optional()
      .describe(
        'NAME of the environment variable with the address that gets alarms by POST, as JSON with a field text: Slack and others take that.',
      ),
  })
  .describe('Alarms when requests or replies are no longer as the gate certified them. Off if left out.')
  .transform(camelCased);
