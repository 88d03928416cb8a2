import { isObject } from '../../router/json/index.ts';

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === 'string';
const isFlag: Check = (value) => typeof value === 'boolean';
const isTime: Check = (value) => typeof value === 'string' && !Number.isNaN(Date.parse(value));
const isCount: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const isAmount: Check = (value) =>
  typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER;
const isShare: Check = (value) => typeof value === 'number' && value >= 0 && value <= 1;
const isLoss: Check = (value) => typeof value === 'number' && value >= -1 && value <= 1;
const isTokens: Check = (value) => value === null || isCount(value);
const isTexts = arrayOf(isText);

function arrayOf(check: Check): Check {
  return (value) => Array.isArray(value) && value.every(check);
}

/** @param needed must be there; the others may be left out. Further fields are of later versions, and are not read */
function shape(fields: Readonly<Record<string, Check>>, needed: readonly string[] = []): Check {
  const entries = Object.entries(fields);
  return (value) => {
    if (!isObject(value)) return false;
    for (const name of needed) if (value[name] === undefined) return false;
    for (const [name, check] of entries) {
      const field = value[name];
      if (field !== undefined && !check(field)) return false;
    }
    return true;
  };
}

const isUsage = shape({
  input_tokens: isTokens,
  output_tokens: isTokens,
  cached_input_tokens: isTokens,
  cache_write_input_tokens: isTokens,
  cache_write_1h_input_tokens: isTokens,
});

const LOOK = { model: isText, reply_loss: isLoss, escalated: isText };

/**
 * Whether a value is a decision record of version 1, as far as a plan reads it. The schema of records checks more, and takes longer for a
 * million of them than all the rest.
 */
export const isRecord = shape(
  {
    schema_version: (value) => value === 1,
    time: isTime,
    requested_model: isText,
    selected: isText,
    served: isText,
    reason: isText,
    candidate: isText,
    policy: shape({ name: isText }),
    artifact: isText,
    verdict: isText,
    rule: isText,
    scores: (value) => isObject(value) && Object.values(value).every(isShare),
    threshold: isLoss,
    narrowed: shape({
      task: isText,
      allowed: isTexts,
      pinned: isText,
      session: shape({ candidate: isText, worth: arrayOf(isFlag), rescue: isFlag }, [
        'candidate',
        'worth',
        'rescue',
      ]),
      slow: isTexts,
      slow_may_lower: isFlag,
      judgeable: isTexts,
    }),
    cascade: shape({
      ...LOOK,
      earlier: arrayOf(shape(LOOK)),
      spent: arrayOf(shape({ model: isText, usage: isUsage }, ['model'])),
    }),
    usage: isUsage,
    deployment: isText,
    for_people: isFlag,
    people_task: isText,
    cost_usd: isAmount,
    status: isCount,
    duration_ms: isAmount,
    cache: shape({ outcome: isText }),
    key_id: isText,
    profile: isText,
    task: isText,
    tags: isTexts,
    predicted_task: shape({ task: isText, probability: isShare }, ['task', 'probability']),
    session: shape({ id: isText }),
    prompt: isText,
  },
  ['schema_version', 'time', 'requested_model', 'reason'],
);
